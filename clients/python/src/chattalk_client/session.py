"""Who asks: a sign-in by tokens, which renews itself.

An access token counts for ten minutes, a refresh token once. So there is one renewal at a time,
whoever needs it, and it is not given up half-way when they are cancelled.
"""

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from websockets.typing import Subprotocol

from chattalk_client.errors import Refused, SignedOut
from chattalk_client.rest import Rest
from chattalk_client.sign_in import SignIn

TOKEN = re.compile(r"[\w.-]+", re.ASCII)
EARLY = 60.0  # seconds before its end that an access token is renewed …
EARLY_PART = 0.2  # … or this part of its life, if that is less


@dataclass(frozen=True, slots=True)
class Pair:
    """Two tokens, secret both. `expires_in`: seconds that `access` counts from now on."""

    access: str
    refresh: str
    expires_in: float

    def __repr__(self) -> str:  # neither belongs in a log
        return f"Pair(expires_in={self.expires_in})"


class Session(SignIn):
    """Signs in with `email` and `password`, or goes on with tokens that somebody else got.

    kept  is told each new pair, to keep it for the next start: the one before is spent
    now   seconds of a clock that never goes back
    """

    def __init__(
        self,
        rest: Rest,
        *,
        email: str | None = None,
        password: str | None = None,
        access: str | None = None,
        refresh: str | None = None,
        kept: Callable[[Pair], None] | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises ValueError where nothing says who this is, or `access` can be no token."""
        if not (access or refresh or (email and password)):
            raise ValueError("sign in with email and password, or with tokens")
        if access and not TOKEN.fullmatch(access):
            raise ValueError("not an access token")  # which one is not said: it may be secret
        super().__init__(rest)
        self._login = {"email": email, "password": password} if email and password else None
        self._access, self._refresh = access, refresh
        self._good_until = float("inf")  # of a token that was given: until it is refused
        self._kept = kept
        self._now = now
        self._renewal: asyncio.Task[str] | None = None

    @property
    def is_renewable(self) -> bool:
        return self._refresh is not None or self._login is not None

    # --- tokens -----------------------------------------------------------------------------------

    async def proof(self) -> str:
        """An access token."""
        if self._access is not None and self._now() < self._good_until:
            return self._access
        return await self.renew()

    def doubt(self, proof: str) -> None:
        if proof == self._access:
            self._access = None

    async def renew(self) -> str:
        if self._renewal is None:
            self._renewal = asyncio.create_task(self._next())
            self._renewal.add_done_callback(self._renewed)
        return await asyncio.shield(self._renewal)

    def _renewed(self, renewal: asyncio.Task[str]) -> None:
        self._renewal = None
        if not renewal.cancelled():
            renewal.exception()  # told to those who wait; if none is left, to the next who asks

    async def _next(self) -> str:
        """By the refresh token; if that has ended, by signing in again."""
        if self._refresh is not None:
            try:
                return await self._take("tokens/refresh/", {"refresh": self._refresh})
            except Refused as refusal:
                if refusal.status != 401:
                    raise
                self._refresh = None
        if self._login is None:
            raise SignedOut("the sign-in has ended")
        return await self._take("tokens/", self._login)

    async def _take(self, path: str, proof: dict[str, Any]) -> str:
        asked = self._now()
        told = await self._rest.ask("POST", path, proof)
        pair = Pair(told["access"], told["refresh"], told["expires_in"])
        self._access, self._refresh = pair.access, pair.refresh
        self._good_until = asked + pair.expires_in - min(EARLY, pair.expires_in * EARLY_PART)
        if self._kept is not None:
            self._kept(pair)
        return pair.access

    # --- how it is shown --------------------------------------------------------------------------

    def headers(self, proof: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {proof}"}

    def handshake(self, proof: str) -> dict[str, Any]:
        return {"subprotocols": [Subprotocol("chattalk"), Subprotocol(f"bearer.{proof}")]}

    async def close(self) -> None:
        """After the renewal that is under way: its pair would be lost."""
        if self._renewal is not None:
            await asyncio.wait([self._renewal])
