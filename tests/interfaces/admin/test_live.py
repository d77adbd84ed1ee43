"""What staff do is seen at once by real sockets, over two processes."""

import asyncio

from accounts.models import User
from tests.raw_socket import frame, subscribe, to_the_end
from tests.stack import open_room, post


def appoint(person):
    User.objects.filter(pk=person.id).update(is_staff=True, is_superuser=True)


async def test_who_is_removed_is_told_on_another_process(stack):
    alice, bob, boss = stack.people("alice", "bob", "boss")
    await stack.arun(appoint, boss)
    room = await stack.arun(open_room, alice, bob)
    async with stack.socket(1, bob) as ws:
        await subscribe(ws, room)
        url = f"{stack.urls[0]}/admin/rooms/room/{room}/remove/{bob.id}/"
        assert await asyncio.to_thread(post, url, boss) == 200
        told = await frame(ws, "unsubscribed")
        assert (told["room"], told["code"]) == (room, "removed")


async def test_sockets_of_who_is_signed_out_everywhere_close_and_the_others_stay(stack):
    bob, boss = stack.people("bob", "boss")
    await stack.arun(appoint, boss)
    async with stack.socket(1, bob) as ws, stack.socket(1, boss) as other:
        await frame(ws, "hello")
        url = f"{stack.urls[0]}/admin/accounts/user/{bob.id}/sign-out/"
        assert await asyncio.to_thread(post, url, boss) == 200
        await to_the_end(ws)
        assert ws.close_code == 4001
        await other.send('{"type":"ping"}')
        assert (await frame(other, "pong"))["type"] == "pong"
