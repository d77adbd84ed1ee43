"""What a member of the harness is judged by: its line, and not what its client makes of it."""

import asyncio
import json
import random
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.server import serve

from bench.ours import Person
from faults import judge, until
from faults.history import History
from faults.judge import Line, Room
from faults.member import Member
from tests.clients.python.test_ends import HELLO, SUBSCRIBED, Small, line

LOG = [Line(seq, "message", 3, line(seq)["cid"]) for seq in range(1, 5)]
ROOM = Room(7, LOG, 5, 1, 4, 1, 1)
CUT = 1012  # a close code: the member comes back


def subscribed(after=0, head=4, *, recovered=True):
    return SUBSCRIBED | {"after": after, "head": head, "recovered": recovered}


def lines(*seqs):
    return [line(seq) for seq in seqs]


class Site(Small):
    """Has the log at another door: the client fills holes from there."""

    @staticmethod
    def answer(connection, request):
        if request.path == "/ws/":
            return None
        page = {"results": lines(1, 2, 3, 4), "head": 4, "read": 0, "previous": None, "next": None}
        answer = connection.respond(200, json.dumps(page))
        answer.headers["Content-Type"] = "application/json"
        return answer


@asynccontextmanager
async def bob_hears(*sockets, upto=4):
    """What a site says on one socket after the other; when bob has been given all of it."""
    site = Site(*([HELLO, *one] for one in sockets))
    async with (
        asyncio.timeout(30),
        serve(site, "127.0.0.1", 0, process_request=site.answer) as server,
    ):
        port = server.sockets[0].getsockname()[1]
        bob = Member("bob", Person(3, "his"), 7, [port], History(), random.Random(1))
        bob.start()
        assert await until(lambda: bob.last == upto, 20)
        yield bob
        await bob.go()


def verdict(bob):
    found = judge.wire(bob.wire.streams, ROOM)
    return {name: count for name, count in found.items() if count}


async def test_of_a_line_on_which_all_is_well_nothing_is_told():
    async with bob_hears([subscribed(), *lines(1, 2, 3, 4)]) as bob:
        assert verdict(bob) == {}
        assert [seq for seq, _ in bob.shown] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("seqs", "told"),
    [
        ([1, 2, 2, 3, 4], {"dup_shown": 1}),
        ([1, 2, 4], {"lost_delivery": 1}),
        ([1, 3, 2, 4], {"order_err": 1}),
    ],
)
async def test_what_goes_wrong_on_the_line_counts_although_the_client_mends_it(seqs, told):
    async with bob_hears([subscribed(), *lines(*seqs)]) as bob:
        assert [seq for seq, _ in bob.shown] == [1, 2, 3, 4]
        assert verdict(bob) == told


async def test_what_the_next_subscription_tells_again_is_its_right():
    async with bob_hears(
        [subscribed(), *lines(1, 2, 3), CUT], [subscribed(after=3), *lines(4)]
    ) as bob:
        assert verdict(bob) == {}
        assert (bob.came, bob.closes) == (2, [CUT])


async def test_a_subscription_that_begins_too_early_or_too_late_counts():
    async with bob_hears(
        [subscribed(), *lines(1, 2), CUT], [subscribed(after=2), *lines(2, 4)]
    ) as bob:
        assert verdict(bob) == {"phantom": 1, "lost_delivery": 1}


async def test_where_the_site_cannot_resume_the_log_is_read_and_the_line_goes_on_after_it():
    async with bob_hears(
        [subscribed(), *lines(1), CUT], [subscribed(3, head=3, recovered=False), *lines(4)]
    ) as bob:
        assert verdict(bob) == {}
        assert bob.wire.reloads == 1
        assert [seq for seq, _ in bob.shown] == [1, 2, 3, 4]


async def test_a_line_of_another_room_is_told():
    async with bob_hears([subscribed(), line(1) | {"room": 8}, *lines(1, 2, 3, 4)]) as bob:
        assert judge.conversation(bob.history, ROOM, {"bob": bob.shown}, others=True)["phantom"]
        assert [entry.note for entry in bob.history.of("show", "ok")][0] == "of room 8"
