"""Who asks: somebody whose browser is signed in, by its cookie."""

import re
import secrets
from typing import Any

from websockets.typing import Origin

from chattalk_client.errors import SignedOut
from chattalk_client.rest import Rest
from chattalk_client.sign_in import SignIn

COOKIE = re.compile(r"[\w!#$%&'*+.^`|~-]+=[^\s;,]+", re.ASCII)
CSRF_BYTES = 16  # 32 characters, as many as Django asks for


class CookieSession(SignIn):
    """Lasts as long as the browser's session: it can't be renewed here."""

    is_renewable = False

    def __init__(self, rest: Rest, cookie: str) -> None:
        """Raises ValueError for what is not a `name=value`."""
        super().__init__(rest)
        if not COOKIE.fullmatch(cookie):
            raise ValueError("not a cookie")  # which one is not said: it is secret
        self._cookie = cookie
        self._csrf = secrets.token_hex(CSRF_BYTES)
        self._is_over = False

    async def proof(self) -> str:
        if self._is_over:
            raise SignedOut("the browser's session has ended")
        return self._cookie

    async def renew(self) -> str:
        return await self.proof()

    def doubt(self, proof: str) -> None:
        self._is_over = True

    async def close(self) -> None:
        """Nothing is under way."""

    def headers(self, proof: str) -> dict[str, str]:
        """A page of another site could not make the cookie and the header agree."""
        return {"Cookie": f"{proof}; csrftoken={self._csrf}", "X-CSRFToken": self._csrf}

    def handshake(self, proof: str) -> dict[str, Any]:
        """As a page of the site opens it."""
        return {
            "additional_headers": {"Cookie": proof},
            "origin": Origin(self._rest.site.origin),
        }
