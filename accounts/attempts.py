"""What django-axes writes at a sign-in that succeeded: no more than anybody will read."""

from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_client_session_hash, get_credentials
from axes.models import AccessLog
from django.http import HttpRequest

from accounts.models import User


class Attempts(AxesDatabaseHandler):
    """Its own clears all failed tries that are over at each sign-in, looks for this person's again,
    and opens a session for who signs in by token, only to note which. A command clears what is over
    (accounts/expiry.py), and it counts for nothing before that."""

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        found: int = super().get_failures(request, credentials)
        request.failed_tries = found  # type: ignore[attr-defined]
        return found

    def user_logged_in(self, sender: object, request: Any, user: User, **_more: Any) -> None:
        AccessLog.objects.create(
            username=user.email,
            ip_address=request.axes_ip_address,
            user_agent=request.axes_user_agent,
            http_accept=request.axes_http_accept,
            path_info=request.axes_path_info,
            attempt_time=request.axes_attempt_time,
            session_hash=_session(request),
        )
        if getattr(request, "failed_tries", 1):  # or nobody has looked
            self.reset_user_attempts(request, get_credentials(user.email))


def _session(request: Any) -> str:
    session = getattr(request, "session", None)
    has_one = session is not None and session.session_key
    return get_client_session_hash(request) if has_one else ""
