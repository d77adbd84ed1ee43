"""No answer is larger than this, whichever view made it.

Each bounds its own: pages end early, lists have a length, GraphQL is counted while it is made. What
is larger all the same is a fault of ours and is not sent: a few who ask for it, and read it slowly,
would take the process's memory.
"""

import logging
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from core.problems import CONTENT_TYPE, problem

logger = logging.getLogger(__name__)

ANSWER_MAX = 512 * 1024  # bytes; what is streamed is a piece at a time, and has no bound

Handler = Callable[[HttpRequest], HttpResponse]


def bounded(get_response: Handler) -> Handler:
    """A middleware, behind the one of static files."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if response.streaming or len(response.content) <= ANSWER_MAX:
            return response
        if 400 <= response.status_code < 500:  # Django's page for developers repeats what was asked
            return _in_short(response)
        logger.error("%s: an answer of %s bytes is not sent", request.path, len(response.content))
        found = problem(500, "error", _("Something went wrong here. It is written down."))
        return JsonResponse(found.body, status=500, content_type=CONTENT_TYPE)

    return answer


def _in_short(response: HttpResponse) -> HttpResponse:
    """The same refusal, which was logged already, without all that it says."""
    response.content = f"{response.reason_phrase}\n".encode()
    response["Content-Type"] = "text/plain; charset=utf-8"
    response["Content-Length"] = str(len(response.content))
    return response
