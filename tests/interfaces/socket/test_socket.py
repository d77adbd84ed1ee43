import asyncio
import json
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async

from messaging import log, services
from messaging.live import frames as wire
from messaging.live import hub, node
from messaging.live.drafts import Draft
from tests.interfaces.socket.client import socket
from tests.messaging.conftest import person


async def test_what_one_says_all_members_see_once_in_order(room, alice, bob):
    async with socket(alice) as one, socket(bob) as two:
        await one.subscribe(room)
        await two.subscribe(room)
        for i in range(10):
            assert (await one.say(room, f"line {i}"))["type"] == "ack"
        for client in (one, two):
            events = await client.events(10)
            assert [event["body"] for event in events] == [f"line {i}" for i in range(10)]
            assert [event["seq"] for event in events] == list(range(3, 13))
            assert await client.silent()


async def test_the_sender_gets_the_event_of_its_own_message(room, bob):
    async with socket(bob) as client:
        await client.subscribe(room)
        cid = str(uuid4())
        await client.send("send", room=room.pk, body="hello", cid=cid)
        frames = [await client.next("ack", "event"), await client.next("ack", "event")]
        ack, event = sorted(frames, key=lambda frame: frame["type"])
        assert ack["cid"] == event["cid"] == cid
        assert ack["seq"] == event["seq"]
        assert event["from"] == {"id": bob.pk, "name": "Bob"}


async def test_charlie_gets_nothing_and_can_do_nothing(room, bob, charlie):
    async with socket(charlie) as outsider, socket(bob) as member:
        await member.subscribe(room)
        assert (await outsider.subscribe(room))["code"] == "not_member"
        assert (await outsider.say(room, "let me in"))["code"] == "not_member"
        await outsider.send("read", room=room.pk, seq=1)
        assert (await outsider.next("nack"))["code"] == "not_member"
        await outsider.send("typing", room=room.pk)
        assert (await outsider.next("nack"))["code"] == "not_subscribed"
        await outsider.send("watch", rooms=[room.pk])
        assert (await outsider.next("watching"))["rooms"] == []
        await member.say(room, "secret")
        assert await outsider.silent()


async def test_coming_back_brings_exactly_what_was_missed(room, alice, bob):
    async with socket(alice) as one:
        for i in range(5):
            await one.say(room, f"{i}")
        async with socket(bob) as two:
            answer = await two.subscribe(room, after=4)
            assert (answer["recovered"], answer["after"], answer["head"]) == (True, 4, 7)
            assert [event["seq"] for event in await two.events(3)] == [5, 6, 7]
            await one.say(room, "live")
            assert (await two.next("event"))["seq"] == 8
            assert await two.silent()


async def test_messages_during_the_catching_up_are_neither_lost_nor_doubled(room, alice, bob):
    async with socket(alice) as one, socket(bob) as two:
        talking = asyncio.create_task(_talk(one, room, 40))
        for _ in range(10):  # subscribe again and again while the talk goes on
            answer = await two.subscribe(room, after=2)
            assert answer["recovered"]
            seqs = [event["seq"] for event in await two.events(answer["head"] - 2)]
            assert seqs == list(range(3, answer["head"] + 1))
        await talking


async def _talk(client, room, many):
    for i in range(many):
        await client.say(room, f"{i}")


@pytest.mark.parametrize("after", [3, 10_000])
async def test_a_resume_that_cannot_be_exact_says_so(room, bob, after, monkeypatch):
    monkeypatch.setattr("messaging.live.subscription.RESUME_MAX", 5)
    async with socket(bob) as client:
        for i in range(10):
            await client.say(room, f"{i}")
        answer = await client.subscribe(room, after=after)
        assert (answer["recovered"], answer["after"]) == (False, answer["head"])
        await client.say(room, "next")
        assert [event["seq"] for event in await client.events(1)] == [answer["head"] + 1]


async def test_a_pruned_log_is_no_exact_resume(room, bob):
    async with socket(bob) as client:
        for i in range(5):
            await client.say(room, f"{i}")
        await room.events.filter(seq__lte=4).adelete()
        assert (await client.subscribe(room, after=2))["recovered"] is False


async def test_a_lost_last_message_is_found_by_looking_at_the_heads(room, alice, bob, monkeypatch):
    monkeypatch.setattr(hub, "HEADS_SECONDS", 0.1)
    async with socket(bob) as client:
        await client.subscribe(room)
        await sync_to_async(_store_without_telling)(room, alice)
        assert (await client.next("event"))["kind"] == "enter"


def _store_without_telling(room, user):
    from django.db import transaction

    with transaction.atomic():
        log.append(room.pk, "enter", [user.pk])


async def test_a_hole_is_filled_from_the_database_before_what_follows(room, alice, bob):
    async with socket(bob) as client:
        await client.subscribe(room)
        for _ in range(3):
            await sync_to_async(_store_without_telling)(room, alice)
        await client.say(room, "after the hole")
        assert [event["seq"] for event in await client.events(4)] == [3, 4, 5, 6]


@pytest.mark.parametrize("how", ["left", "removed"])
async def test_leaving_by_any_door_ends_every_subscription(room, alice, bob, how):
    async with socket(bob) as phone, socket(bob) as laptop:
        await phone.subscribe(room)
        await laptop.subscribe(room)
        if how == "left":
            await sync_to_async(services.leave)(room.pk, bob)
        else:
            await sync_to_async(services.remove)(room.pk, bob.pk, by=alice)
        for client in (phone, laptop):
            assert (await client.next("event"))["kind"] == "leave"
            assert (await client.next("unsubscribed"))["code"] == how
            assert (await client.say(room, "still here?"))["code"] == "not_member"
        node.current().writer.put(Draft(room.pk, person(alice), uuid4(), "bob is gone"))
        assert await phone.silent()


async def test_unsubscribing_stops_the_events(room, alice, bob):
    async with socket(alice) as one, socket(bob) as two:
        await two.subscribe(room)
        await two.send("unsubscribe", room=room.pk)
        assert (await two.next("unsubscribed"))["code"] == "asked"
        await one.say(room, "unheard")
        assert await two.silent()


@pytest.mark.parametrize(
    "text",
    [
        " ",
        "{",
        "[]",
        "null",
        '{"type":"zap"}',
        '{"type":"send","room":1}',
        '{"type":"send","room":"1","cid":"x","body":1}',
        '{"type":"subscribe","room":0}',
        '{"type":"subscribe","room":99999999999999999999999}',
        '{"type":"read","room":1,"seq":-1}',
        '{"type":"ping","ref":"' + "x" * 65 + '"}',
        '{"type":"ping","x":' + "[" * 60_000 + "}",
        '{"type":"ping","ref":"\\ud800"}',
        '{"type":"watch","rooms":' + str(list(range(1, wire.WATCH_MAX + 2))) + "}",
    ],
)
async def test_a_bad_frame_is_answered_and_the_socket_stays(room, bob, text):
    async with socket(bob) as client:
        await client.raw.send_to(text_data=text)
        assert (await client.next("nack"))["code"] == "bad_frame"
        assert await client.silent()


@pytest.mark.parametrize(
    ("frame", "names"),
    [
        ({"type": "subscribe", "room": 1, "after": -1, "ref": "7"}, {"ref": "7"}),
        ({"type": "send", "room": 1, "cid": "x", "body": 1}, {"cid": "x"}),
        ({"type": "zap", "ref": "x" * 64, "cid": [1]}, {"ref": "x" * 64}),
        ({"type": "ping", "ref": "x" * 65}, {}),
        ({"type": "ping", "ref": {"a": 1}}, {}),
        (["ping"], {}),
    ],
)
async def test_the_answer_to_a_bad_frame_names_it_as_far_as_it_can_be_read(room, bob, frame, names):
    async with socket(bob) as client:
        await client.raw.send_to(text_data=json.dumps(frame))
        nack = await client.next("nack")
        assert {key: nack[key] for key in nack if key not in ("type", "code", "detail")} == names


async def test_bytes_that_are_no_text_are_a_bad_frame(room, bob):
    async with socket(bob) as client:
        await client.raw.send_to(bytes_data=b"\xff\xfe")
        assert (await client.next("nack"))["code"] == "bad_frame"
        assert await client.silent()


@pytest.mark.parametrize(
    ("body", "code"),
    [("", "blank"), (" \n\u200b", "blank"), ("x" * 4001, "too_long"), ("a\x00b", "bad_text")],
)
async def test_what_cannot_be_said_is_refused_clearly_and_stores_nothing(room, bob, body, code):
    async with socket(bob) as client:
        answer = await client.say(room, body)
        assert (answer["code"], bool(answer["detail"])) == (code, True)
        assert (await room.events.acount()) == 2


async def test_a_refusal_is_in_the_readers_language(room, bob):
    bob.language = "ko"
    await bob.asave()
    async with socket(bob) as client:
        korean = (await client.say(room, ""))["detail"]
    bob.language = "en"
    await bob.asave()
    async with socket(bob) as client:
        assert (await client.say(room, ""))["detail"] == "Write something first."
    assert korean != "Write something first."


async def test_typing_is_told_to_the_others_only_and_not_too_often(room, alice, bob):
    async with socket(alice) as one, socket(bob) as two:
        await one.subscribe(room)
        await two.subscribe(room)
        for _ in range(5):
            await two.send("typing", room=room.pk)
        assert (await one.next("typing"))["user"] == {"id": bob.pk, "name": "Bob"}
        await one.say(room, "go on")
        assert (await one.next("typing", "event"))["type"] == "event"
        assert (await two.next("typing", "event"))["type"] == "event"


async def test_the_read_position_moves_forward_only_and_not_past_the_end(room, bob):
    async with socket(bob) as client:
        await client.say(room, "one")
        for seq in (3, 1, 10_000):
            await client.send("read", room=room.pk, seq=seq)
        assert await client.silent()
    membership = await room.memberships.aget(user=bob)
    assert membership.read_seq == 3


async def test_watching_tells_how_much_was_said(room, alice, bob, monkeypatch):
    monkeypatch.setattr("messaging.live.activity.TOGETHER_SECONDS", 0.1)
    async with socket(alice) as one, socket(bob) as two:
        await two.send("watch", rooms=[room.pk])
        watching = await two.next("watching")
        assert watching["rooms"] == [{"room": room.pk, "head": 2, "personnel": 2}]
        await one.say(room, "one")
        activity = await two.next("activity")
        assert activity["messages"] == {str(alice.pk): 1} and activity["head"] == 3
        assert await two.silent()


async def test_many_together_are_each_judged_for_themselves(room, alice, bob, charlie):
    async with socket(alice) as one, socket(charlie) as two, socket(bob) as three:
        answers = await asyncio.gather(*(client.subscribe(room) for client in (one, two, three)))
        assert [answer["type"] for answer in answers] == ["subscribed", "nack", "subscribed"]
        assert answers[1]["code"] == "not_member"
