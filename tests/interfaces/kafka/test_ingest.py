"""`manage.py ingest` on a real broker: what a topic says is done, each command once, in order."""

import json
import signal
from uuid import UUID

from confluent_kafka import Producer

from interfaces.kafka import commands
from messaging.models import Event
from tests.interfaces.kafka.conftest import until
from tests.stack import open_room


def send(site, *values: bytes | dict) -> None:
    producer = Producer({"bootstrap.servers": site.broker.address})
    for value in values:
        text = value if isinstance(value, bytes) else json.dumps(value).encode()
        producer.produce(site.commands, text, key=b"one")
    assert producer.flush(10) == 0


def post(room: int, sender: int, body: str) -> dict:
    return {"version": 1, "type": "post", "room": room, "sender": sender, "body": body}


def bodies(site, room: int) -> list[str]:
    def said():
        lines = Event.objects.filter(room=room, kind="message").order_by("seq")
        return list(lines.values_list("body", flat=True))

    return site.stack.run(said)


def test_what_it_says_is_said_and_what_is_refused_is_told(site):
    alice, charlie = site.stack.people("alice", "charlie")
    room = site.stack.run(open_room, alice)
    with site.running("ingest", "--make-topics") as ingest:
        until(lambda: f"{site.commands}.refusals" in ingest.said())
        send(
            site,
            post(room, alice.id, "one"),
            b"{",
            post(room, alice.id, "  "),
            post(room, charlie.id, "from outside"),
            post(room, 2**62, "from nobody"),
            post(room, alice.id, "two") | {"loud": True},
            post(room, alice.id, "three"),
        )
        until(lambda: bodies(site, room) == ["one", "three"])
        told = site.read_topic(f"{site.commands}.refusals", many=5)
    codes = [(one["offset"], one["code"]) for one in told]
    assert codes == [
        (1, "bad_command"),
        (2, "blank"),
        (3, "not_member"),
        (4, "unknown_sender"),
        (5, "bad_command"),
    ]
    assert all(one["detail"] for one in told)


def test_killed_again_and_again_it_does_each_command_once_and_in_order(site):
    [alice] = site.stack.people("alice")
    room = site.stack.run(open_room, alice)
    wanted = [f"command {number}" for number in range(300)]
    with site.running("ingest", "--make-topics") as ingest:
        until(lambda: f"{site.commands}.refusals" in ingest.said())
        send(site, *(post(room, alice.id, body) for body in wanted))
        until(lambda: bodies(site, room))
        ingest.send_signal(signal.SIGKILL)
    with site.running("ingest"):
        until(lambda: len(bodies(site, room)) >= len(wanted))
    assert bodies(site, room) == wanted


def test_a_record_that_is_read_again_has_the_same_id():
    assert commands.cid("topic", 1, 2) == UUID("72115f92-ea59-5ab1-a676-10a2e5308c69")
