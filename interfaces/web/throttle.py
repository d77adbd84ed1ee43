"""How many pages someone may ask for: per person, or per address where nobody is signed in.

Who asks for more, and who comes while something is too busy, is told when to come back: by a page
that does so by itself, and as problem details where no page was asked for.
"""

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.deprecation import MiddlewareMixin

from core import client_ip, rate_limits
from core.problems import CONTENT_TYPE, REFUSALS, problem

ELSEWHERE = ("/api/", "/graphql/")  # interfaces/api/throttle.py counts there


class Paced(MiddlewareMixin):
    """Behind all that knows who it is and in which language they read."""

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        if request.path.startswith(ELSEWHERE):
            return None
        if seconds := rate_limits.seconds_to_wait(*_caller(request)):
            return refused(request, 429, rate_limits.TOO_FAST, seconds)
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """A refusal that will not last, where a page of Django's own has no place for it."""
        if not isinstance(error, ValidationError) or hasattr(error, "error_dict"):
            return None
        first = error.error_list[0]
        seconds = rate_limits.retry_after(first)
        if not seconds or first.code not in rate_limits.PASSING:
            return None
        return refused(request, rate_limits.PASSING[first.code], first.messages[0], seconds)


def _caller(request: HttpRequest) -> tuple[str, str]:
    """By which rule the request counts, and as whose."""
    if request.user.is_authenticated:
        return "page", str(request.user.pk)
    return "page_nobody", client_ip.of(request)


def refused(request: HttpRequest, status: int, why: str, seconds: int) -> HttpResponse:
    answer: HttpResponse
    code = "rate_limited" if status == 429 else "unavailable"
    if request.accepts("text/html"):
        REFUSALS.add("page", code)
        # What was sent was not done: who sent it decides whether to send it again.
        again = request.get_full_path() if request.method == "GET" else None
        context = {"why": why, "again": again, "seconds": seconds}
        answer = HttpResponse(render_to_string("429.html", context), status=status)
    else:
        body = problem(status, code, why).body
        answer = JsonResponse(body, status=status, content_type=CONTENT_TYPE)
    answer["Retry-After"] = str(seconds)
    answer["Cache-Control"] = "no-store"
    return answer
