"""The benchmark's judge is judged: a server that loses, repeats or mixes up one message is told."""

import asyncio
import shutil
import time
from contextlib import asynccontextmanager, suppress
from itertools import count

import pytest
from websockets import ConnectionClosed
from websockets.asyncio.server import serve

from bench import load as loads
from bench.load import Load, faults

pytestmark = pytest.mark.skipif(not shutil.which("gcc"), reason="gcc is missing")

MEMBERS = 4
NTH = 5  # the message that goes wrong
PAUSE = 0.1  # seconds


def honest(nth, text):
    return [text]


def loses(nth, text):
    return [] if nth == NTH else [text]


def repeats(nth, text):
    return [text, text] if nth == NTH else [text]


class Swaps:
    """Of two messages of the same sender, the later one first."""

    def __init__(self):
        self.kept = None

    def __call__(self, nth, text):
        if nth == NTH:
            self.kept = text
            return []
        kept, self.kept = self.kept, None
        return [text] if kept is None else [text, kept]


@asynccontextmanager
async def room(spoil):
    """On a free port: what one says all get; the last member gets it as `spoil` has it."""
    members, nth = [], count(1)

    async def member(socket):
        members.append(socket)
        with suppress(ConnectionClosed):
            async for said in socket:
                for one in members[:-1]:
                    await one.send(said)
                for text in spoil(next(nth), said):
                    await members[-1].send(text)

    async with serve(member, "127.0.0.1", 0, compression=None) as server:
        yield server.sockets[0].getsockname()[1]


def talk(port, tmp_path, **more):
    plan = tmp_path / "plan.txt"
    plan.write_text(f"{port} 1 -\n" * MEMBERS)
    times = {"warm": 0, "measure": 0.3, "drain": 0.3}
    load = Load("plain", plan, "/%s/", publishers=1, rate=200, doze=True, **times, **more)
    for word in ("connected", "open", "closed"):
        load.until(word)
    return load.report()


@pytest.fixture(autouse=True)
def program(tmp_path_factory, monkeypatch):
    monkeypatch.setattr(loads, "HOME", tmp_path_factory.getbasetemp())


async def test_of_an_honest_room_nothing_is_told(tmp_path):
    async with room(honest) as port:
        report = await asyncio.to_thread(talk, port, tmp_path)
    assert faults(report) == []
    assert report["sent"] > NTH and report["delivered"] > report["sent"]


@pytest.mark.parametrize(
    ("spoil", "told"),
    [(loses, "1 lost"), (repeats, "1 repeated"), (Swaps(), "1 disorder")],
    ids=["loses", "repeats", "swaps"],
)
async def test_one_message_that_goes_wrong_is_told(tmp_path, spoil, told):
    async with room(spoil) as port:
        assert faults(await asyncio.to_thread(talk, port, tmp_path)) == [told]


def stands_still(nth, text):
    """With its whole loop."""
    if nth == NTH:
        time.sleep(PAUSE)
    return [text]


async def test_a_pause_of_the_server_s_loop_is_seen_by_a_pong_that_comes_late(tmp_path):
    async with room(stands_still) as port:
        pinged = (await asyncio.to_thread(talk, port, tmp_path, ping=0.002))["pinged_ms"]
    assert pinged["count"] > 50
    assert pinged["max"] >= 900 * PAUSE > 2 * pinged["p50"]


async def test_where_nobody_listens_no_run_counts(tmp_path):
    async with room(honest) as port:
        pass
    with pytest.raises(loads.Invalid):
        await asyncio.to_thread(talk, port, tmp_path)
