"""A client of /ws/ that keeps all that it is sent, over a real connection."""

import asyncio
import json
from contextlib import asynccontextmanager
from uuid import UUID

from core.tasks import end
from tests.presence.cluster import until
from tests.raw_socket import tell
from tests.stack import socket_at


class Seen:
    """All that a client is sent, as it comes. Presence comes in steps of its own pace: of that, who
    is here now."""

    def __init__(self, ws):
        self.ws = ws
        self.texts, self.here = [], {}
        self._reading = asyncio.create_task(self._read())

    async def _read(self):
        async for text in self.ws:
            got = json.loads(text)
            if got["type"] == "presence":
                self._note(got)
            elif got["type"] not in ("heads", "read", "seat"):  # by the clock, or gathered by it
                self.texts.append(text)

    def _note(self, got):
        here = {} if got["full"] else self.here
        came = {one["id"]: one["name"] for one in [*got.get("here", []), *got.get("came", [])]}
        went = {one["id"] for one in got.get("went", [])}
        self.here = {who: name for who, name in (here | came).items() if who not in went}

    @property
    def frames(self):
        return [json.loads(text) for text in self.texts]

    async def ask(self, type, **fields):
        """Say it, and wait for the answer to a ping that follows it."""
        await tell(self.ws, type, **fields)
        await self.settled()

    async def settled(self):
        ref = str(len(self.texts))
        await tell(self.ws, "ping", ref=ref)
        await self.saw(lambda got: got["type"] == "pong" and got["ref"] == ref)
        self.texts = [text for text in self.texts if json.loads(text).get("ref") != ref]

    async def saw(self, fits):
        await until(lambda: any(map(fits, self.frames)))

    async def saw_here(self, *names):
        await until(lambda: set(self.here.values()) == set(names))

    async def stop(self):
        await end(self._reading)


@asynccontextmanager
async def seen(url, person):
    async with socket_at(url, person) as ws:
        client = Seen(ws)
        yield client
        await client.stop()


def cid(number):
    return str(UUID(int=number))
