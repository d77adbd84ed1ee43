"""A member who is signed in by tokens, as a phone is (docs/api.md)."""

import asyncio
import random
import secrets
from typing import Any

from chattalk_client import Pair

from bench.ours import Person
from faults import rest
from faults.chat import Chat
from faults.history import History
from faults.member import Member
from faults.site import Site

NOBODY = Person(0, "")
PASSWORD = "a long and quiet evening"


class Device(Member):
    """Its client renews its tokens when they have ended, by the same lines as all else."""

    def __init__(
        self, name: str, person: Person, room: int, ports: list[int], history: History,
        dice: random.Random, pair: dict[str, Any],
    ) -> None:  # fmt: skip
        self.access, self._first = pair["access"], pair["refresh"]
        self.renewals = 0
        super().__init__(name, person, room, ports, history, dice)

    def _client(self, dice: random.Random) -> Chat:
        tokens = {"access": self.access, "refresh": self._first}
        return Chat(self.ports, dice, kept=self._renewed, observer=self, **tokens)

    def _renewed(self, pair: Pair) -> None:
        self.access = pair.access
        self.renewals += 1
        self._tell("renew", "ok", note=pair.refresh[-8:])

    async def ask(self, port: int, method: str, path: str, body: Any = None) -> rest.Answer:
        bearer = f"Bearer {self.access}"
        return await rest.ask(port, method, path, NOBODY, body, headers={"Authorization": bearer})


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
