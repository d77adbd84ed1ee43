"""`manage.py relay` on a real broker: what people say is in Kafka, each line once and in order."""

import asyncio
import signal
import time

from messaging import log
from tests.interfaces.kafka.conftest import until
from tests.stack import open_room


def seqs(found):
    return [one["seq"] for one in found]


def say(room, person, *bodies):
    for body in bodies:
        log.append(room, "message", [person.id], body)


def test_what_there_is_is_relayed_once(site):
    alice, bob = site.stack.people("alice", "bob")
    room = site.stack.run(open_room, alice, bob)
    site.stack.run(say, room, alice, "one", "two")
    made = site.manage("relay", "--once", "--make-topics")
    assert made.returncode == 0, made.stderr
    assert f"Made the topic {site.topic}." in made.stdout
    site.stack.run(say, room, bob, "three")
    assert "Relayed 1 lines." in site.manage("relay", "--once").stdout
    mine = site.read(room)
    assert seqs(mine) == [1, 2, 3, 4, 5]
    assert {one["_key"] for one in mine} == {str(room)}
    assert mine[-1]["body"] == "three" and mine[-1]["sender"] == bob.id


def test_a_relay_that_is_killed_leaves_no_hole_and_repeats_nothing(site):
    [alice] = site.stack.people("alice")
    room = site.stack.run(open_room, alice)
    site.manage("relay", "--once", "--make-topics")
    for number, pause in enumerate((0.0, 0.05, 0.2)):
        site.stack.run(say, room, alice, *(f"{number}.{each}" for each in range(400)))
        with site.running("relay") as relay:
            until(lambda relay=relay: "this relay works" in relay.said())
            time.sleep(pause)  # into another moment of its work
            relay.send_signal(signal.SIGKILL)
    assert site.manage("relay", "--once").returncode == 0
    assert seqs(site.read(room)) == list(range(1, 1_202))


async def test_what_is_said_is_in_kafka_at_once(site):
    [alice] = await site.stack.apeople("alice")
    room = await site.stack.arun(open_room, alice)
    site.manage("relay", "--once", "--make-topics")
    with site.running("relay") as relay:
        await asyncio.to_thread(until, lambda: "this relay works" in relay.said())
        async with site.stack.chat(0, alice) as talk:
            entered = await talk.enter(room)
            await entered.send("hello")
            found = await asyncio.to_thread(site.read, room, many=2)
    assert [one.get("body") for one in found] == [None, "hello"]
