"""Who has lost a seat or a sign-in hears and says nothing more: what ends it is done on one
process, the socket is on the other."""

import asyncio
import json
import time
from uuid import uuid4

import pytest
from websockets.exceptions import ConnectionClosed

from accounts.models import User
from messaging.models import Event
from tests.doors.clients import sign_up
from tests.interfaces.admin.test_live import appoint
from tests.raw_socket import by_ticket, frame, opened, say, subscribe, tell
from tests.stack import open_room, post

AFTER = 2.0  # seconds, in which it has come into force everywhere


def new_password(person):
    user = User.objects.get(pk=person.id)
    user.set_password("another evening")
    user.save()


async def end(how, stack, room, alice, bob, boss):
    here = stack.urls[0]
    paths = {
        "left": (f"/rooms/{room}/leave/", bob),
        "removed": (f"/admin/rooms/room/{room}/remove/{bob.id}/", boss),
        "closed": (f"/rooms/{room}/close/", alice),
        "signed out": ("/accounts/sign-out/", bob),
        "signed out everywhere": (f"/admin/accounts/user/{bob.id}/sign-out/", boss),
        "deactivated": (f"/admin/accounts/user/{bob.id}/deactivate/", boss),
    }
    if how == "new password":
        await stack.arun(new_password, bob)
    else:
        path, who = paths[how]
        assert await asyncio.to_thread(post, here + path, who) == 200


class Hearing:
    """What comes on a socket, with the time it came; and how it was closed, if it was."""

    def __init__(self, ws):
        self.got, self.code = [], None
        self.task = asyncio.create_task(self._hear(ws))

    async def _hear(self, ws):
        try:
            while True:
                self.got.append((time.monotonic(), json.loads(await ws.recv())))
        except ConnectionClosed as closed:
            self.code = closed.rcvd.code

    async def over(self):
        """By the time that a ping would have been answered."""
        await asyncio.wait([self.task], timeout=0.5)
        self.task.cancel()


SEATS = {"left": "not_member", "removed": "not_member", "closed": "room_closed"}
SIGN_INS = ["signed out", "signed out everywhere", "new password", "deactivated"]


async def test_nothing_is_heard_or_said_two_seconds_after_it(stack):
    """Each end of its own, side by side."""
    async with asyncio.TaskGroup() as together:
        for how in [*SEATS, *SIGN_INS]:
            together.create_task(_nothing_after(how, stack))


async def _nothing_after(how, stack):
    alice, bob, boss = await stack.apeople("alice", "bob", "boss")
    await stack.arun(appoint, boss)
    room = await stack.arun(open_room, alice, bob)
    async with stack.socket(0, alice) as hers, stack.socket(1, bob) as his:
        await subscribe(hers, room)
        await subscribe(his, room)
        hearing = Hearing(his)
        await end(how, stack, room, alice, bob, boss)
        ended = time.monotonic()
        while time.monotonic() < ended + AFTER:
            await say(hers, room, f"{how}?")
            await asyncio.sleep(0.2)
        await say(hers, room, "a secret")
        if how in SEATS:
            await tell(his, "send", room=room, body="me too", cid=str(uuid4()))
        await hearing.over()
        got, code = hearing.got, hearing.code
        late = [one for at, one in got if at > ended + AFTER and one["type"] == "event"]
        assert late == [], how
        assert "a secret" not in str(got), how
        if how in SEATS:
            assert [one["code"] for _, one in got if one["type"] == "nack"] == [SEATS[how]], how
        else:
            assert code == 4001, how


async def test_no_flood_from_two_devices_outlives_a_removal(stack):
    alice, bob, boss = await stack.apeople("alice", "bob", "boss")
    await stack.arun(appoint, boss)
    room = await stack.arun(open_room, alice, bob)
    async with stack.socket(0, bob) as one, stack.socket(1, bob) as other:

        async def flood(ws):
            while True:
                await tell(ws, "send", room=room, body="flood", cid=str(uuid4()))
                if (await frame(ws, "ack", "nack")).get("code") == "not_member":
                    return

        floods = asyncio.gather(flood(one), flood(other))
        await end("removed", stack, room, alice, bob, boss)
        await asyncio.wait_for(floods, 10)
    rows = Event.objects.filter(room_id=room).order_by("seq").values_list("kind", "body")
    last = [kind for kind, _ in await stack.arun(list, rows)]
    assert last[-1] == "leave" and "message" in last


@pytest.mark.parametrize("worker", [0, 1])
async def test_a_ticket_opens_one_socket_of_twenty_at_once(stack, worker):
    _email, rest = await asyncio.to_thread(sign_up, stack.urls[worker], "Dana")
    ticket = (await asyncio.to_thread(rest, "POST", "/api/v1/tickets/")).json["ticket"]

    async def come(number):
        async with opened(stack.urls[number % 2], words=by_ticket(ticket)) as ws:
            try:
                return json.loads(await ws.recv())["type"]
            except ConnectionClosed as closed:
                return closed.rcvd.code

    told = await asyncio.gather(*map(come, range(20)))
    assert sorted(map(str, told)) == ["4001"] * 19 + ["hello"]
