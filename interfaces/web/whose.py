"""A page that stays open asks on as whom it was made for.

Its cookie says who is signed in now, which may be somebody else, by another tab. Forms have a token
that a sign-in makes worthless, sockets a sub-protocol (docs/wire.md); this is for all that a page
fetches. Who does not say as whom they ask is not held to it.
"""

from django.http import HttpRequest, JsonResponse
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import gettext as _

from core.problems import CONTENT_TYPE, problem

HEADER = "X-ChatTalk-As"


class Whose(MiddlewareMixin):
    def process_request(self, request: HttpRequest) -> JsonResponse | None:
        asked = request.headers.get(HEADER)
        if asked is None or asked == str(request.user.pk):
            return None
        text = _("This page was made for somebody who is not signed in here any more.")
        told = problem(409, "somebody_else", text)
        answer = JsonResponse(told.body, status=409, content_type=CONTENT_TYPE)
        answer["Cache-Control"] = "no-store"
        return answer
