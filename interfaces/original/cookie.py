"""The original's proof of who calls: an access token, in a cookie that its page can read.

`Authorization=Bearer%20<token>` comes along whoever wrote the page, so a request that changes
something counts only from pages of ours or of CORS_ALLOWED_ORIGINS.
"""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from accounts import tokens
from accounts.models import User
from accounts.tokens import Identity, NotValid
from interfaces.stomp.parsing import bearer

NAME = settings.ORIGINAL_TOKEN_COOKIE
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


def shown(request: HttpRequest | Request) -> str | None:
    return bearer(request.headers.get("Authorization") or request.COOKIES.get(NAME, ""))


def identity(request: HttpRequest | Request) -> Identity | None:
    """The caller; None for nobody. Raises NotValid."""
    token = shown(request)
    return tokens.verify(token) if token else None


class CookieAuthentication(BaseAuthentication):
    """`request.auth` is the Identity. A token that does not count is 401 at once."""

    def authenticate(self, request: Request) -> tuple[User, Identity] | None:
        try:
            found = identity(request)
        except NotValid as error:
            raise AuthenticationFailed(str(error), "token_not_valid") from None
        if found is None:
            return None
        if found.user.language:
            translation.activate(found.user.language)
        return found.user, found

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="chattalk"'


def give(response: HttpResponse, token: str, seconds: int) -> None:
    """Not HttpOnly: the original's page looks whether it is there, and shows it to the socket."""
    response.set_cookie(
        NAME,
        f"Bearer%20{token}",
        max_age=seconds,
        path="/",
        secure=settings.HTTPS,
        httponly=False,
        samesite="Lax",
    )


def take_back(response: HttpResponse) -> None:
    response.delete_cookie(NAME, path="/", samesite="Lax")


def check_origin(request: HttpRequest | Request) -> None:
    """Raises PermissionDenied for a change that another site's page asks for.

    Browsers name the page's origin with every change; who names none is no browser.
    """
    if request.method in SAFE_METHODS:
        return
    origin = request.headers.get("Origin")
    if origin is None:
        foreign = request.headers.get("Sec-Fetch-Site", "none") == "cross-site"
    else:
        own = f"{request.scheme}://{request.get_host()}"
        foreign = origin not in {own, *settings.CORS_ALLOWED_ORIGINS}
    if foreign:
        raise PermissionDenied(_("This page may not do that here."), "foreign_origin")
