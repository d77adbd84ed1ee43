"""Two people who talk while something is done to the servers that carry it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tests.raw_socket import frame, say, subscribe, tell
from tests.stack import Stack, open_room

PAUSE_SECONDS = 0.05
PROMPT_SECONDS = 0.5  # it came over the layer; without it a line comes within 5 s
PROMPT_LINES = 20  # one after the other: the layer is back


@dataclass
class Seen:
    room: int
    said: dict[str, float] = field(default_factory=dict)  # line → when it was acknowledged
    heard: dict[str, float] = field(default_factory=dict)  # line → when it came, in their order
    heard_twice: int = 0

    @property
    def late(self) -> list[str]:
        return [one for one, at in self.said.items() if self._lag(one, at) > PROMPT_SECONDS]

    def _lag(self, line: str, said_at: float) -> float:
        return self.heard.get(line, time.monotonic()) - said_at

    def back_after(self, since: float) -> float:
        """Seconds until the last line that did not come at once."""
        return max([self.said[line] - since for line in self.late], default=0.0)

    def is_back(self, since: float) -> bool:
        last = list(self.said)[-PROMPT_LINES:]
        after = len(last) == PROMPT_LINES and self.said[last[0]] > since
        return after and all(self._lag(one, self.said[one]) < PROMPT_SECONDS for one in last)


async def talk(
    site: Stack, during: Callable[[int], Awaitable[object]], within: float
) -> tuple[Seen, float]:
    """One talks by the first worker, the other hears by the second. `during(room)` is what is done;
    they go on until the layer is back. Answers also when it was done."""
    alice, bob = await site.apeople("alice", "bob")
    seen = Seen(await site.arun(open_room, alice, bob))
    async with site.socket(0, alice) as one, site.socket(1, bob) as two:
        await subscribe(one, seen.room)
        await subscribe(two, seen.room)
        hearing = asyncio.create_task(_hear(two, seen))
        stop = asyncio.Event()
        talking = asyncio.create_task(_say(one, seen, stop))
        await _until(lambda: seen.is_back(0), within)
        began = time.monotonic()
        await during(seen.room)
        await _until(lambda: seen.is_back(began), within)
        stop.set()
        await talking
        await _until(lambda: len(seen.heard) == len(seen.said), within)
        hearing.cancel()
        await asyncio.wait([hearing])
        await _is_heard_of_typing(one, two, seen.room, within)
    assert list(seen.heard) == list(seen.said) and not seen.heard_twice
    return seen, began


async def _is_heard_of_typing(one, two, room: int, within: float) -> None:
    """That goes over the layer alone, where a line is found in the database, too."""
    await tell(one, "typing", room=room)
    async with asyncio.timeout(within):
        await frame(two, "typing")


async def _say(ws, seen: Seen, stop: asyncio.Event) -> None:
    while not stop.is_set():
        body = f"line {len(seen.said)}"
        assert (await say(ws, seen.room, body))["type"] == "ack"
        seen.said[body] = time.monotonic()
        await asyncio.sleep(PAUSE_SECONDS)


async def _hear(ws, seen: Seen) -> None:
    while True:
        body = (await frame(ws, "event"))["body"]
        seen.heard_twice += body in seen.heard
        seen.heard[body] = time.monotonic()


async def _until(check: Callable[[], bool], within: float) -> None:
    async with asyncio.timeout(within):
        while not check():
            await asyncio.sleep(PAUSE_SECONDS)
