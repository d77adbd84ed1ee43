"""Two real workers, each with its metrics on a port of its own: what they say together is true."""

import socket
import time
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.stack import Stack, lent, open_room

PATIENCE = 20  # seconds


def free_ports(many):
    """The first of some in a row; nobody has them just now."""
    for _ in range(50):
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            base = first.getsockname()[1]
        try:
            for port in range(base, base + many):
                with socket.socket() as one:
                    one.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            continue
        return base
    raise AssertionError("no ports in a row are free")


@pytest.fixture(scope="module")
def _watched(django_db_setup):
    stack = Stack(database="watched", METRICS_PORT=str(free_ports(3)))
    yield stack
    stack.close()


@pytest.fixture
def watched(_watched, django_db_blocker):
    with lent(_watched, django_db_blocker):
        yield _watched


def scraped(stack, number):
    """{name: {labels: value}} of a worker."""
    port = int(stack.environment["METRICS_PORT"]) + number + 1
    until = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                text = answer.read().decode()
            break
        except OSError:  # it is opened beside the start
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[frozenset(sample.labels.items())] = sample.value
    return found


def total(found, name, **labels):
    return sum(
        value for key, value in found.get(name, {}).items() if key >= frozenset(labels.items())
    )


async def say(room, many):
    for number in range(many):
        await room.send(f"number {number}")


async def test_what_was_said_is_the_sum_over_the_workers(watched):
    alice, bob = await watched.apeople("alice", "bob")
    room = await watched.arun(open_room, alice, bob)
    before = [total(scraped(watched, one), "chattalk_messages_total") for one in (0, 1)]
    async with watched.chat(0, alice) as one, watched.chat(1, bob) as other:
        await say(await one.enter(room), 3)
        await say(await other.enter(room), 4)
    after = [scraped(watched, one) for one in (0, 1)]
    said = [total(found, "chattalk_messages_total") for found in after]
    assert [now - then for now, then in zip(said, before, strict=True)] == [3, 4]
    assert after[0].keys() == after[1].keys()
    for number, found in enumerate(after, 1):
        assert {dict(key)["worker"] for key in found["chattalk_messages_total"]} == {str(number)}
        assert total(found, "chattalk_acknowledgement_seconds_count") == said[number - 1]
        assert total(found, "process_resident_memory_bytes") > 10_000_000
