"""What all views of the REST API share: what of it may be kept by whom, and the caller's pace."""

from typing import Any

import msgspec
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest
from django.utils.cache import patch_vary_headers
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


class View(APIView):
    paced_apart = ""  # a name, where strangers' requests count apart from those at other doors

    def shown_token(self, request: Request) -> str:
        """The token as it was sent, empty for none: throttle.py counts by its device."""
        scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        # A body that comes in chunks has no length, and DRF would take it for none.
        if "HTTP_TRANSFER_ENCODING" in request.META and not request.META.get("CONTENT_LENGTH"):
            request.META["CONTENT_LENGTH"] = str(len(request.body))
        return super().initialize_request(request, *args, **kwargs)

    def perform_authentication(self, request: Request) -> None:
        """A proof that does not count is a request like any other: who tries many is slowed."""
        try:
            super().perform_authentication(request)
        except AuthenticationFailed:
            self.check_throttles(request)
            raise

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        patch_vary_headers(response, ["Authorization"])
        response.headers.setdefault("Cache-Control", "private, no-store")
        for name, value in getattr(request, "pace_headers", {}).items():
            response[name] = value
        return response


class OpenView(View):
    """For nobody, too: a signed-in person is not looked for."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    token_field = ""  # of the body, where the proof is in there

    def shown_token(self, request: Request) -> str:
        """Reads the body before DRF parses it: a request that DRF then refuses counts, too."""
        if not self.token_field:
            return ""
        try:
            sent = msgspec.json.decode(request._request.body, type=dict[str, Any])
        except (msgspec.MsgspecError, SuspiciousOperation, OSError, RecursionError, UnicodeError):
            return ""
        return str(sent.get(self.token_field, ""))
