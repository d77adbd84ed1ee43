"""STOMP at /stomp, as a modern client speaks it."""

import json
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.utils import translation
from django.utils.translation import gettext

from core.postgresql.reads import Unavailable
from messaging import services
from messaging.live import node
from messaging.live.close_codes import CloseCode
from messaging.models import Event
from rooms.models import Membership
from tests import gone_back
from tests.interfaces.socket.client import session_cookie
from tests.interfaces.stomp.client import PAGE, called, opened, stomp, token
from tests.messaging.conftest import person


async def say(room, user, body):
    await sync_to_async(services.post)(room.pk, person(user), body)


@pytest.mark.parametrize("version", ["1.2", "1.1", "1.0"])
async def test_a_message_is_sent_stored_acknowledged_and_heard_by_all(room, alice, bob, version):
    async with stomp(alice) as one, stomp(bob, accept_version=version) as two:
        assert two.connected.headers["version"] == version
        await one.subscribe(f"/sub/chat/{room.pk}")
        await two.subscribe(f"/sub/chat/{room.pk}", id="a:b\\c" if version != "1.0" else "abc")
        await two.deed("message", room, "hello: \\n 안녕", receipt="r-1")
        receipt = await two.next("RECEIPT", **{"receipt-id": "r-1"})
        stored = await Event.objects.aget(room=room, kind="message")
        assert receipt.headers["seq"] == str(stored.seq)
        for client, name in ((one, called(bob)), (two, bob.email)):
            frame = await client.next("MESSAGE")
            line = json.loads(frame.body)
            assert frame.headers["destination"] == f"/sub/chat/{room.pk}"
            assert frame.headers["seq"] == str(stored.seq)
            assert frame.headers["message-id"] == f"{room.pk}-{stored.seq}"
            assert line.pop("createdAt").endswith("Z")
            assert line == {
                "chatId": str(room.pk),
                "type": "MESSAGE",
                "username": name,
                "message": "hello: \\n 안녕",
            }


async def test_who_asks_again_with_the_same_client_id_is_answered_the_same(room, bob):
    async with stomp(bob) as client:
        for client_id in (str(uuid4()), "my own 1"):
            await client.deed("message", room, "once", client_id=client_id, receipt="1")
            await client.deed("message", room, "once", client_id=client_id, receipt="2")
            first, second = [await client.next("RECEIPT") for _ in range(2)]
            assert first.headers["seq"] == second.headers["seq"]
    assert await Event.objects.filter(room=room, kind="message").acount() == 2


async def test_after_brings_exactly_what_came_after(room, alice, bob):
    async with stomp(alice) as client:
        for body in ("one", "two", "three"):
            await client.deed("message", room, body, receipt=body)
            await client.next("RECEIPT", **{"receipt-id": body})
        receipt = await client.subscribe(f"/sub/chat/{room.pk}", after=3)
        assert receipt.headers["recovered"] == "true" and receipt.headers["head"] == "5"
        assert [one["message"] for one in await client.lines(2)] == ["two", "three"]
        assert await client.silent()
        await client.asked("UNSUBSCRIBE", id="s")
        receipt = await client.subscribe(f"/sub/chat/{room.pk}", after=99)
        assert receipt.headers["recovered"] == "false"
        assert await client.silent()


async def test_who_was_told_lines_that_the_database_has_lost_comes_back_for_those_that_are(
    room, alice, bob
):
    async with stomp(alice) as client:
        await client.subscribe(f"/sub/chat/{room.pk}")
        for body in ("kept", "lost", "lost, too"):
            await say(room, alice, body)
        line = [await client.next("MESSAGE") for _ in range(3)][-1]
        last, at = line.headers["seq"], json.loads(line.body)["createdAt"]
        kept = await sync_to_async(gone_back.lose)(room.pk, 2)
        await node.current().hub.look_at_heads()
        assert await client.end() == CloseCode.RESTART
    await say(room, bob, "new")
    async with stomp(alice) as client:
        receipt = await client.subscribe(f"/sub/chat/{room.pk}", after=last)
        found = [receipt.headers[name] for name in ("recovered", "after", "head")]
        assert found == ["false", str(kept), str(kept + 1)]
        assert (await client.line())["message"] == "new"
        node.current().hub.feeds[room.pk].lost = range(0)  # of a process that was not there
        receipt = await client.subscribe(f"/sub/chat/{room.pk}", id="b", after=last, at=at)
        assert receipt.headers["recovered"] == "false"
        assert (await client.line("b"))["message"] == "new"


async def test_after_unsubscribe_nothing_more_comes(room, alice, bob):
    async with stomp(bob) as client:
        await client.subscribe(f"/sub/chat/{room.pk}")
        await client.asked("UNSUBSCRIBE", id="s")
        await say(room, alice, "too late")
        assert await client.silent()


async def test_two_subscriptions_of_one_room_on_one_connection(room, alice, bob):
    async with stomp(bob) as client:
        await client.subscribe(f"/sub/chat/{room.pk}", id="a")
        await client.subscribe(f"/sub/chat/{room.pk}", id="b", after=0)
        await client.subscribe(f"/sub/participant/{room.pk}", id="c")
        assert {one["email"] for one in await client.line("c")} == {called(alice), bob.email}
        assert [one["type"] for one in await client.lines(2, "b")] == ["ENTER", "ENTER"]
        await say(room, alice, "hello")
        assert (await client.line("a"))["message"] == (await client.line("b"))["message"] == "hello"


async def test_an_outsider_enters_then_subscribes_then_leaves(room, charlie):
    async with stomp(charlie) as client:
        await client.deed("enter", room, receipt="in")
        await client.next("RECEIPT", **{"receipt-id": "in"})
        await client.subscribe(f"/sub/chat/{room.pk}")
        await client.subscribe("/user/queue/errors", id="e")
        await client.deed("leave", room, receipt="out")
        await client.next("RECEIPT", **{"receipt-id": "out"})
        assert (await client.line())["type"] == "LEAVE"
        end = await client.next("MESSAGE", subscription="e")
        assert (end.headers["code"], end.headers["room"]) == ("left", str(room.pk))


async def refused(client, code, **headers):
    frame = await client.next("MESSAGE", subscription="e", code=code, **headers)
    assert frame.body
    return frame


async def test_refusals_are_told_at_the_queue_and_cost_nothing(room, bob, charlie, alice):
    other = await sync_to_async(services.open_room)(alice, title="Not for bob")
    async with stomp(bob) as client:
        await client.subscribe("/user/queue/errors", id="e")
        await client.deed("message", room, " ", receipt="r", client_id="mine")
        await refused(client, "blank", **{"receipt-id": "r"})
        await client.deed("message", room, "x" * 4001)
        await refused(client, "too_long")
        await client.deed("message", other, "hello")
        await refused(client, "not_member")
        await client.deed("message", room, "one", client_id="same")
        await client.deed("message", room, "two", client_id="same")
        await refused(client, "conflict")
        await client.send("SUBSCRIBE", id="x", destination=f"/sub/chat/{other.pk}")
        await refused(client, "not_member")
        await client.send("SUBSCRIBE", id="y", destination="/sub/elsewhere")
        await refused(client, "bad_frame")
        await client.send("SEND", "not json", destination="/send/chat/message")
        await refused(client, "bad_frame")
        await client.send("SEND", "[" * 20_000, destination="/send/chat/message")
        await refused(client, "bad_frame")
        for number in range(40):
            await client.deed("message", room, str(number))
        assert float((await refused(client, "rate_limited")).headers["retry-after"]) > 0
        await client.asked("UNSUBSCRIBE", id="e")


@pytest.mark.parametrize("how", ["asked for", "chosen"])
async def test_refusals_are_in_the_reader_s_language(room, bob, how):
    if how == "chosen":
        bob.language = "ko"
        await bob.asave()
    access = await sync_to_async(token)(bob)
    asks = [(b"accept-language", b"ko-KR,en;q=0.5")] if how == "asked for" else []
    async with opened("/stomp", *PAGE, *asks) as client:
        await client.connect(access)
        await client.subscribe("/user/queue/errors", id="e")
        await client.deed("message", room, " ")
        told = (await client.next("MESSAGE")).body.decode()
    with translation.override("ko"):
        assert told == gettext("Write something first.") != "Write something first."


async def test_without_the_queue_a_refusal_is_an_error_and_the_end(room, charlie):
    async with stomp(charlie) as client:
        await client.send("SUBSCRIBE", id="s", destination=f"/sub/chat/{room.pk}", receipt="r")
        error = await client.next("ERROR")
        assert (error.headers["code"], error.headers["receipt-id"]) == ("not_member", "r")
        assert error.headers["message"] == error.body.decode()
        assert await client.frame() is None


@pytest.mark.parametrize(
    "frame",
    [
        "NONSENSE\n\n\0",
        "SEND\nno colon\n\n\0",
        "CONNECT\n\n\0",
        "SUBSCRIBE\nid:x\n\n\0",
        "SUBSCRIBE\ndestination:/sub/chat/1\n\n\0",
        "BEGIN\ntransaction:t\n\n\0",
        "SEND\ndestination:/send/chat/message\ntransaction:t\n\n{}\0",
    ],
)
async def test_what_breaks_the_protocol_ends_the_connection(bob, frame):
    async with stomp(bob) as client:
        await client.subscribe("/user/queue/errors", id="e")
        await client.text(frame)
        assert (await client.next("ERROR")).headers["code"] == "bad_frame"
        assert await client.frame() is None
        assert client.closed == 1002


async def test_nothing_is_done_before_connect(room, bob):
    async with opened() as client:
        await client.deed("message", room, "hello")
        assert (await client.next("ERROR")).headers["code"] == "not_connected"
        assert await client.frame() is None


@pytest.mark.parametrize("versions", ["1.3", "", "x,y"])
async def test_a_version_that_is_not_spoken_is_told_which_are(db, versions):
    async with opened() as client:
        error = await client.connect(accept_version=versions)
        assert (error.command, error.headers["version"]) == ("ERROR", "1.0,1.1,1.2")
        assert await client.frame() is None


@pytest.mark.parametrize("beat", ["1", "a,b", "-1,5", "1,٣"])
async def test_heart_beats_that_are_no_numbers_are_refused(db, beat):
    async with opened() as client:
        assert (await client.connect(heart_beat=beat)).headers["code"] == "bad_frame"


async def test_the_session_of_a_browser_signs_in_too_but_only_from_our_pages(room, bob):
    cookie = await sync_to_async(session_cookie)(bob)
    async with opened("/stomp", cookie, *PAGE) as client:
        assert (await client.connect()).command == "CONNECTED"
    async with opened("/stomp", cookie) as client:
        assert (await client.connect()).headers["code"] == "not_signed_in"


async def test_the_token_may_come_as_the_passcode(bob):
    access = await sync_to_async(token)(bob)
    async with opened() as client:
        assert (await client.connect(login="bob", passcode=access)).command == "CONNECTED"


async def test_the_subprotocol_is_picked(bob):
    async with opened(subprotocols=["v10.stomp", "v12.stomp"]) as client:
        assert client.subprotocol == "v12.stomp"


async def test_our_heart_beats_come_and_a_silent_client_is_cut(bob, monkeypatch):
    monkeypatch.setattr("interfaces.stomp.heartbeats.OURS_MS", 50)
    monkeypatch.setattr("interfaces.stomp.heartbeats.THEIRS_MS", 50)
    monkeypatch.setattr("interfaces.stomp.heartbeats.SILENT_SECONDS", 0.3)
    async with stomp(bob, heart_beat="50,50") as client:
        for _ in range(6):  # the client beats, too
            assert await client.receive() == "\n"
            await client.text("\n")
        assert (await client.next("ERROR")).headers["code"] == "silent"
        assert await client.frame() is None
        assert client.closed == 1000


async def test_who_does_not_connect_is_let_go(db, monkeypatch):
    monkeypatch.setattr("interfaces.stomp.consumer.CONNECT_SECONDS", 0.1)
    async with opened() as client:
        assert await client.frame() is None
        assert client.closed == 4001


async def test_acknowledging_moves_the_read_position(room, alice, bob):
    async with stomp(bob) as client:
        await client.subscribe(f"/sub/chat/{room.pk}", ack="client")
        await say(room, alice, "hello")
        ack = (await client.next("MESSAGE")).headers["ack"]
        await client.asked("ACK", id=ack)
        membership = await Membership.objects.aget(room=room, user=bob)
        assert membership.read_seq == 3


async def test_disconnect_is_answered_before_the_end(bob):
    async with stomp(bob) as client:
        await client.asked("DISCONNECT")
        assert await client.frame() is None
        assert client.closed == 1000


async def test_a_removed_member_hears_nothing_more(room, alice, bob):
    async with stomp(bob) as client:
        await client.subscribe("/user/queue/errors", id="e")
        await client.subscribe(f"/sub/chat/{room.pk}")
        await client.subscribe(f"/sub/participant/{room.pk}", id="p")
        await client.line("p")
        await sync_to_async(services.remove)(room.pk, bob.pk, by=alice)
        await refused(client, "removed")
        await refused(client, "removed")
        await say(room, alice, "about bob")
        client.got.clear()
        assert await client.silent()


async def test_a_line_is_shown_without_asking_who_said_it(room, alice, bob, monkeypatch):
    """What is told of people is in the line: the database may be away meanwhile."""

    async def away(*asked, **named):
        raise Unavailable

    async with stomp(bob) as client:
        await client.subscribe(f"/sub/chat/{room.pk}")
        monkeypatch.setattr("core.postgresql.reads.Reads.rows", away)
        await say(room, alice, "still heard")
        assert (await client.line())["username"] == called(alice)
