"""The inside of a room: for who has no seat it does not exist."""

from django.core.exceptions import PermissionDenied
from rest_framework.exceptions import NotFound
from rest_framework.response import Response

from interfaces.api.view import View


class InsideView(View):
    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, PermissionDenied):
            exc = NotFound(str(exc), "not_member")
        return super().handle_exception(exc)
