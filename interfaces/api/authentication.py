"""How an API learns who calls: `Authorization: Bearer …`, with an access token."""

from django.utils import translation
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts import tokens
from accounts.models import User
from accounts.tokens import Identity, NotValid


class TokenAuthentication(BaseAuthentication):
    """`request.auth` is the Identity. A token that does not count is 401 at once."""

    def authenticate(self, request: Request) -> tuple[User, Identity] | None:
        scheme, _space, token = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            return None
        try:
            identity = tokens.verify(token.strip())
        except NotValid as error:
            raise AuthenticationFailed(str(error), "token_not_valid") from None
        if identity.user.language:  # chosen by the person: it wins over what the client asks for
            translation.activate(identity.user.language)
        return identity.user, identity

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="chattalk"'
