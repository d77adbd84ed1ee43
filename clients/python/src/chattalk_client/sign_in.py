"""Who asks: what each kind of sign-in can do. By tokens: session.py; by a browser: cookie.py."""

from abc import ABC, abstractmethod
from typing import Any

from chattalk_client.errors import Refused
from chattalk_client.rest import Rest


class SignIn(ABC):
    """A proof is what shows who asks: an access token, or a cookie."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    @property
    @abstractmethod
    def is_renewable(self) -> bool: ...

    @abstractmethod
    async def proof(self) -> str:
        """One that counts for a while yet. Raises SignedOut, Refused, Unreachable."""

    @abstractmethod
    def doubt(self, proof: str) -> None:
        """The site did not take it: the next one who asks gets another, if there is one."""

    @abstractmethod
    async def renew(self) -> str:
        """A new one; one renewal for all who wait. Raises SignedOut, Refused, Unreachable."""

    @abstractmethod
    async def close(self) -> None: ...

    @abstractmethod
    def headers(self, proof: str) -> dict[str, str]:
        """Of a request."""

    @abstractmethod
    def handshake(self, proof: str) -> dict[str, Any]:
        """Of a socket: more arguments for `connect`."""

    async def call(
        self, method: str, path: str, body: Any = None, *, query: dict[str, Any] | None = None
    ) -> Any:
        """Like Rest.ask, by this sign-in; a proof that is not taken is renewed once."""
        proof = await self.proof()
        try:
            return await self._rest.ask(
                method, path, body, query=query, headers=self.headers(proof)
            )
        except Refused as refusal:
            if refusal.status != 401:
                raise
        self.doubt(proof)
        headers = self.headers(await self.proof())
        return await self._rest.ask(method, path, body, query=query, headers=headers)
