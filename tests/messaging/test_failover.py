"""A failover that loses the tail of the log: nobody is shown a room that is not there."""

import asyncio
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from chattalk_client import Lost
from django.conf import settings

from chattalk.server.workers import ROOT
from messaging.live.close_codes import CloseCode
from tests import standby
from tests.messaging import stores
from tests.raw_socket import SECONDS, frame, say, subscribe, to_the_end
from tests.stack import Stack, address_of, lent, open_room

LOST = 4  # lines
TOLD = re.compile(r"the database has gone back: (\d+) lines of (\d+) rooms")


@pytest.fixture
def pair():
    # Not in a folder of pytest's, which each further run of it closes to the server's user.
    folder = Path(tempfile.mkdtemp(prefix="pair-", dir=os.environ["CHATTALK_DATA"]))
    primary = standby.made(folder / "primary")
    primary.start()
    primary.wait()
    follower = standby.standby_of(primary.url("postgres"), folder / "standby")
    yield primary, follower
    for server in (primary, follower):
        server.stop()


@pytest.fixture
def site(pair, django_db_setup, django_db_blocker):
    own = {
        "CHATTALK_DATA": str(pair[0].data.parent),
        "MONGODB_URL": address_of("failed_over", settings.MONGODB_URL),  # verify looks at all of it
    }
    stack = Stack(server=standby.both(*pair), **own)
    standby.caught_up(*pair)
    with lent(stack, django_db_blocker):
        yield stack
    stack.close()


async def lines(ws, many):
    """The next events: number, and what was said."""
    found = [await frame(ws, "event") for _ in range(many)]
    return [(line["seq"], line["body"]) for line in found], found[-1]["at"]


async def all_said(ws, room, *bodies):
    return [(await say(ws, room, body))["seq"] for body in bodies]


class Reader:
    """Somebody who reads by the client that everybody has: what is on their screen."""

    def __init__(self, chat, room):
        self.shown, self.lost = {}, 0
        self.reading = asyncio.create_task(self._read(chat, room))

    async def _read(self, chat, room):
        entered = await chat.enter(room, after=0)
        async for event in entered.events():  # until the test cancels it
            if isinstance(event, Lost):
                self.lost += event.upto - event.after
                for seq in range(event.after + 1, event.upto + 1):
                    del self.shown[seq]
            else:
                assert event.seq not in self.shown
                self.shown[event.seq] = getattr(event, "body", event.kind)

    async def reaches(self, seq):
        async with asyncio.timeout(SECONDS):
            while seq not in self.shown:
                await asyncio.sleep(0.05)


async def failed_over(pair):
    primary, follower = pair
    await asyncio.to_thread(stores.kill, primary)
    await asyncio.to_thread(standby.promoted, follower)


async def test_after_a_lost_tail_everybody_is_shown_the_room_that_is_there(site, pair):
    alice, bob = await site.apeople("alice", "bob")
    room = await site.arun(open_room, alice, bob)
    async with site.chat(1, bob) as chat:
        reader = Reader(chat, room)
        await fail_over_and_come_back(site, pair, room, alice, bob, reader)
        reader.reading.cancel()

    await asyncio.to_thread(commands_work, site)


def commands_work(site):
    """By the same address, which names both servers."""
    backup = Path(site.environment["CHATTALK_DATA"]) / "after.zip"
    for command in (["verify"], ["backup", str(backup)]):
        asked = [sys.executable, "manage.py", *command]
        environment = {**os.environ, **site.environment}
        done = subprocess.run(asked, cwd=ROOT, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


async def fail_over_and_come_back(site, pair, room, alice, bob, reader):
    async with site.socket(0, alice) as one, site.socket(1, bob) as other:
        kept = (await subscribe(one, room))["head"] + 1
        await subscribe(other, room)
        await all_said(one, room, "kept")
        await asyncio.to_thread(standby.caught_up, *pair)
        await asyncio.to_thread(standby.held_back, pair[1])
        await all_said(one, room, *map(str, range(LOST)))
        _, at = await lines(other, 1 + LOST)
        await reader.reaches(kept + LOST)
        await failed_over(pair)
        for ws in (one, other):
            await to_the_end(ws)
            assert ws.close_code == CloseCode.RESTART
    seen = {"after": kept + LOST}
    async with site.socket(0, alice) as one, site.socket(1, bob) as other:
        for ws, at_of in ((one, {"at": at}), (other, {})):
            told = await subscribe(ws, room, **seen, **at_of)
            found = [told[name] for name in ("recovered", "kept", "after", "head")]
            assert found == [False, kept, kept, kept]
        new = [f"new {number}" for number in range(2 * LOST)]
        numbers = [*range(kept + 1, kept + 1 + len(new))]
        async with site.socket(1, alice) as speaking:
            assert await all_said(speaking, room, *new) == numbers
        for ws in (one, other):
            found, new_at = await lines(ws, len(new))
            assert found == [*zip(numbers, new, strict=True)]
        # The log is longer by now than it was.
        async with site.socket(0, bob) as late:
            told = await subscribe(late, room, **seen, at=at)
            assert (told["recovered"], told["kept"], told["after"]) == (False, kept, kept)
            assert (await lines(late, len(new)))[0] == found
            told = await subscribe(late, room, after=numbers[-1], at=new_at)
            assert (told["recovered"], "kept" in told) == (True, False)
    await reader.reaches(numbers[-1])
    assert [reader.shown[number] for number in numbers] == new
    assert reader.lost == LOST
    told = TOLD.findall(site.said())
    assert told == [(str(LOST), "1")] * 2  # one line of each process
