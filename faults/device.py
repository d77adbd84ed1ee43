"""A member who is signed in by tokens, as a phone is (docs/api.md)."""

import asyncio
import secrets
from typing import Any

from bench import client
from bench.ours import Person
from faults import rest
from faults.member import LOST, Member
from faults.site import Site
from messaging.live.close_codes import CloseCode

NOBODY = Person(0, "")
PASSWORD = "a long and quiet evening"
AGAIN_AFTER = 0.2  # seconds; an answer that was lost may be asked for again within 10


class Device(Member):
    """Renews its tokens when they have ended, at the port `renews_at`."""

    access = refresh = ""
    renews_at = 0
    renewals = 0
    sent_away = 0  # how often a refresh token was not taken: a person would have to sign in

    def hold(self, pair: dict[str, Any], renews_at: int) -> None:
        self.access, self.refresh, self.renews_at = pair["access"], pair["refresh"], renews_at

    async def ask(self, port: int, method: str, path: str, body: Any = None) -> rest.Answer:
        bearer = f"Bearer {self.access}"
        return await rest.ask(port, method, path, NOBODY, body, headers={"Authorization": bearer})

    async def renew(self) -> None:
        """Asks until it is answered. Whoever is not taken is sent away, and stays away."""
        while True:
            self._tell("renew", "invoke", note=self.refresh[-8:])
            try:
                path, body = "/api/v1/tokens/refresh/", {"refresh": self.refresh}
                answer = await rest.ask(self.renews_at, "POST", path, NOBODY, body)
            except LOST:
                answer = None
            if answer is not None and answer.status == 200:
                self.hold(answer.said, self.renews_at)
                self.renewals += 1
                self._tell("renew", "ok", note=self.refresh[-8:])
                return
            if answer is not None and answer.status == 401:
                self.sent_away += 1
                self._tell("renew", "fail", note=self.refresh[-8:])
                self._over = True
                return
            await asyncio.sleep(AGAIN_AFTER)

    async def _reach(self, port: int, gone: asyncio.Event) -> client.Socket:
        offered = f"chattalk, bearer.{self.access}"
        return await client.connect(port, "/ws/", self._heard, gone.set, protocols=offered)

    async def _connection(self) -> tuple[int | None, str]:
        code, reason = await super()._connection()
        while code == CloseCode.SIGNED_OUT and not self._over:
            await self.renew()
            if not self._over:  # at once: to wait, as for a server that is away, ends this one, too
                code, reason = await super()._connection()
        return code, reason


class Account:
    """Somebody new, who may sign in at many devices."""

    def __init__(self, port: int, email: str, person: Person) -> None:
        self.port, self.email, self.person = port, email, person

    @classmethod
    async def made(cls, site: Site) -> "Account":
        email, port = f"device-{secrets.token_hex(6)}@example.com", site.ports[0]
        account = {"email": email, "password": PASSWORD, "display_name": "Dana"}
        told = await rest.ask(port, "POST", "/api/v1/accounts/", NOBODY, account)
        nobody = Person(told.said["id"], "")
        (person,) = await asyncio.to_thread(site.sessions, nobody, 1)
        return cls(port, email, person)

    async def sign_in(self) -> dict[str, Any]:
        proof = {"email": self.email, "password": PASSWORD}
        answer = await rest.ask(self.port, "POST", "/api/v1/tokens/", NOBODY, proof)
        assert answer.status == 200, answer
        return dict(answer.said)
