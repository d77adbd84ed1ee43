"""While PostgreSQL is away every door of HTTP says so at once: 503, and when to come back."""

import logging
import random
from typing import cast

from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import gettext as _
from django.views.i18n import JavaScriptCatalog

from core.postgresql.breaker import breaker, is_outage
from core.problems import CONTENT_TYPE, REFUSALS, problem
from core.text import first_line

logger = logging.getLogger(__name__)

MACHINES = ("/api/", "/graphql/", "/stomp/")  # the doors of programs
COME_BACK = 3, 8  # seconds; each at a time of their own


class Available(MiddlewareMixin):
    """Behind the sessions, before all that asks who it is."""

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        if breaker.is_down:
            return away(request)
        try:
            bool(request.user.is_authenticated)  # finds the session and the person, once for all
        except Exception as error:
            return _failed(request, error)
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return _failed(request, error) if is_outage(error) else None


class Sessions(SessionMiddleware):
    """What a view left in the session is kept after it, where only its own middleware can say
    that this failed."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        try:
            return super().process_response(request, response)
        except Exception as error:
            return _failed(request, error)


def _failed(request: HttpRequest, error: Exception) -> HttpResponse:
    if not is_outage(error):
        raise error
    logger.warning("%s: the database does not answer: %s", request.path, first_line(error))
    return away(request)


def away(request: HttpRequest) -> HttpResponse:
    """A page that comes back by itself; for programs, problem details (RFC 9457)."""
    language = translation.get_language_from_request(request)
    with translation.override(language):
        answer = _words(request) if request.path == reverse("jsi18n") else _told(request)
    answer["Content-Language"] = language
    answer["Cache-Control"] = "no-store"
    return answer


def _words(request: HttpRequest) -> HttpResponse:
    """The scripts of that page need them, and they are nobody's."""
    return cast(HttpResponse, JavaScriptCatalog.as_view()(request))


def _told(request: HttpRequest) -> HttpResponse:
    seconds = random.randint(*COME_BACK)
    answer = _problem() if _is_of_a_program(request) else _page(request, seconds)
    answer._has_been_logged = True  # type: ignore[attr-defined]  # once, by who found it away
    answer["Retry-After"] = str(seconds)
    return answer


def _is_of_a_program(request: HttpRequest) -> bool:
    return request.path.startswith(MACHINES) or not request.accepts("text/html")


def _problem() -> HttpResponse:
    text = _("The server can't answer right now. Try again in a moment.")
    body = problem(503, "unavailable", text).body
    return JsonResponse(body, status=503, content_type=CONTENT_TYPE)


def _page(request: HttpRequest, seconds: int) -> HttpResponse:
    REFUSALS.add("page", "unavailable")
    # What was sent may or may not have been done: who sent it looks, and sends it again.
    again = request.get_full_path() if request.method == "GET" else None
    page = render_to_string("503.html", {"again": again, "seconds": seconds})
    return HttpResponse(page, status=503)
