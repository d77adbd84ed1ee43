"""`manage.py relay` on a real broker: what people say is in Kafka, each line once and in order."""

import asyncio
import json
import signal

import pytest
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)
from django.core.management import CommandError
from kafka.partitioner.default import murmur2

from accounts.models import User
from interfaces.kafka import clients
from messaging import log, services
from messaging.followers.lease import Lease
from tests import scrape
from tests.interfaces.kafka.conftest import until
from tests.stack import open_room


def seqs(found):
    return [one["seq"] for one in found]


def say(room, person, *bodies):
    for body in bodies:
        log.append(room, "message", [person.id], body)


def relay(site, *words, url=""):
    """The command in this process; what it said."""
    return site.stack.run(site.call, "relay", *words, url=url)


def works(child):
    return lambda: "this relay works" in child.said()


def test_what_there_is_is_relayed_once(site):
    alice, bob = site.stack.people("alice", "bob")
    room = site.stack.run(open_room, alice, bob)
    site.stack.run(say, room, alice, "one", "two")
    made = site.manage("relay", "--once", "--make-topics")
    assert made.returncode == 0, made.stderr
    assert f"Made the topic {site.topic}." in made.stdout
    site.stack.run(say, room, bob, "three")
    assert "Relayed 1 lines." in relay(site, "--once")
    mine = site.read(room)
    assert seqs(mine) == [1, 2, 3, 4, 5]
    assert {one["_key"] for one in mine} == {str(room)}
    assert mine[-1]["body"] == "three" and mine[-1]["sender"] == bob.id

    java = site.broker.run(
        "org.apache.kafka.tools.consumer.ConsoleConsumer", "--bootstrap-server",
        site.broker.address, "--topic", site.topic, "--from-beginning", "--isolation-level",
        "read_committed", "--max-messages", str(len(site.read_topic(site.topic))),
    )  # fmt: skip
    values = [json.loads(line) for line in java.splitlines() if line.startswith("{")]
    assert seqs(one for one in values if one["room"] == room) == [1, 2, 3, 4, 5]


def test_keys_are_where_java_puts_them(site):
    relay(site, "--once", "--make-topics")
    placed = {}
    for room in range(1, 41):
        site.producer().produce(
            site.topic, b"{}", str(room), on_delivery=lambda _error, one: placed.update(
                {one.key(): one.partition()}
            ),
        )  # fmt: skip
    assert site.producer().flush(10) == 0
    assert placed == {key: (murmur2(key) & 0x7FFFFFFF) % 4 for key in placed}
    assert len(placed) == 40


def test_a_relay_that_is_killed_leaves_no_hole_and_repeats_nothing(site):
    [alice] = site.stack.people("alice")
    room = site.stack.run(open_room, alice)
    relay(site, "--once", "--make-topics")
    site.stack.run(say, room, alice, *map(str, range(600)))
    with site.running("relay") as child:
        until(works(child))
        child.send_signal(signal.SIGKILL)  # in the middle of it; faults/ does it a hundred times
    relay(site, "--once")
    assert seqs(site.read(room)) == list(range(1, 602))


async def test_what_is_said_is_in_kafka_at_once_and_a_second_relay_stands_by(site):
    [alice] = await site.stack.apeople("alice")
    room = await site.stack.arun(open_room, alice)
    await asyncio.to_thread(relay, site, "--once", "--make-topics")
    site.environment["METRICS_PORT"] = str(port := scrape.free_ports(1))
    with site.running("relay") as child:
        await asyncio.to_thread(until, works(child))
        async with site.stack.chat(0, alice) as talk:
            entered = await talk.enter(room)
            await entered.send("hello")
            found = await asyncio.to_thread(site.read, room, many=2)
        told = await asyncio.to_thread(scrape.at, port)
        assert scrape.total(told, "chattalk_relay_lines_total", worker="relay") >= 1
        assert scrape.total(told, "chattalk_relay_rooms_stopped") == 0
        assert {"chattalk_relay_lag_lines", "chattalk_relay_lag_seconds"} <= told.keys()
        with pytest.raises(CommandError, match="Another relay works"):
            await asyncio.to_thread(relay, site, "--once")
        child.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(child.wait, 20) == 0
    assert [one.get("body") for one in found] == [None, "hello"]
    assert "Traceback" not in child.said()


def test_one_that_another_has_fenced_says_so_and_stands_by(site, monkeypatch):
    """Both believe to be the one, as where each has a Redis of its own."""
    [alice] = site.stack.people("alice")
    room = site.stack.run(open_room, alice)
    relay(site, "--once", "--make-topics")

    async def yes(_lease):
        return True

    monkeypatch.setattr(Lease, "hold", yes)
    with site.running("relay") as child:
        site.stack.run(lambda: services.close_room(room, by=User.objects.get(pk=alice.id)))
        assert len(site.read(room, many=2)) == 2  # it works, and not only says so
        relay(site, "--once")
        site.stack.run(lambda: services.reopen_room(room, by=User.objects.get(pk=alice.id)))
        until(lambda: "another relay has taken over" in child.said())
    assert child.said().count("another relay") == 1 and "Traceback" not in child.said()


# --- what is wrong, in one sentence ---------------------------------------------------------------


def test_each_thing_that_is_wrong_is_one_sentence(site, monkeypatch):
    admin = AdminClient({"bootstrap.servers": site.broker.address})

    def wrong(url=""):
        with pytest.raises(CommandError) as refused:
            relay(site, "--once", url=url)
        return str(refused.value)

    with monkeypatch.context() as patch:
        patch.setattr(clients, "ANSWER_SECONDS", 2.0)
        told = wrong("kafka://127.0.0.1:1")
    assert "does not answer at 127.0.0.1:1 (" in told and "Connection refused" in told
    assert "name or password" in wrong(site.broker.url_of("relay", "wrong"))
    assert f"no topic {site.topic}" in wrong()
    assert f"no topic {site.topic}" in wrong(site.broker.url_of("nobody"))
    assert "No such configuration property" in wrong(f"{site.broker.url}/?ssl.foo=1")
    topics = [NewTopic(site.topic), NewTopic(f"{site.topic}.positions")]
    made(admin.create_topics(topics))
    assert "cleanup.policy=delete" in wrong()
    small = {"max.message.bytes": "1000", "cleanup.policy": "compact"}
    made(admin.delete_topics([f"{site.topic}.positions"]))
    until(lambda: f"{site.topic}.positions" not in admin.list_topics().topics)
    made(admin.create_topics([NewTopic(f"{site.topic}.positions", config=small)]))
    assert "max.message.bytes" in wrong()


def made(answers):
    for answer in answers.values():
        answer.result()


def test_the_rights_that_the_page_names_are_enough_and_each_is_needed(site):
    relay(site, "--once", "--make-topics")
    admin = AdminClient({"bootstrap.servers": site.broker.address})
    may, topic = AclOperation, ResourceType.TOPIC
    needed = [
        *((topic, site.topic, each) for each in (may.DESCRIBE, may.DESCRIBE_CONFIGS, may.WRITE)),
        *(
            (topic, f"{site.topic}.positions", each)
            for each in (may.DESCRIBE, may.DESCRIBE_CONFIGS, may.READ, may.WRITE)
        ),
        (ResourceType.TRANSACTIONAL_ID, f"chattalk-relay-{site.topic}", may.DESCRIBE),
        (ResourceType.TRANSACTIONAL_ID, f"chattalk-relay-{site.topic}", may.WRITE),
    ]
    rights = [right(*each) for each in needed]
    for each in rights:
        with pytest.raises(CommandError) as refused:
            relay(site, "--once", url=site.broker.url_of("relay"))
        print(refused.value)
        assert "right" in str(refused.value) or "no topic" in str(refused.value)
        made(admin.create_acls([each]))
    assert "Relayed" in relay(site, "--once", url=site.broker.url_of("relay"))


def right(kind, name, operation):
    return AclBinding(
        kind, name, ResourcePatternType.LITERAL, "User:relay", "*", operation,
        AclPermissionType.ALLOW,
    )  # fmt: skip
