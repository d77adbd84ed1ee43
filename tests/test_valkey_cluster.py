"""A cluster of Valkey instead of one server, by its address: three masters, with a replica each."""

import asyncio
import json
import signal
import time
import urllib.request
from uuid import uuid4

import pytest
from django.core.cache import cache
from redis.exceptions import ConnectionError as NoConnection

from accounts import token_cache
from chattalk.embedded import StartFailed, probe
from core import rate_limits, redis
from faults.valkeys import Cluster, until
from interfaces.original import visits
from messaging.followers import lease
from presence import counts
from presence.leases import Applied, Leases
from rooms.locks import room_lock
from tests.over_a_failover import talk
from tests.raw_socket import frame, say, subscribe, tell
from tests.stack import Stack, lent, open_room

DATABASE = "stack_cluster"
LAYER_BACK_SECONDS = 5.0
SILENT_SECONDS = 1.0  # twice that is less than two nodes take, on a busy machine too
WITHIN_SECONDS = 30.0
REFUSED = {"CROSSSLOT", "MOVED"}
ROOMS = range(10_001, 10_201)  # in all parts, and so on all nodes
ROOM = ROOMS[0]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    cluster = Cluster(tmp_path_factory.mktemp("cluster") / "nodes")
    cluster.start()
    cluster.wait()
    yield cluster
    cluster.stop()


@pytest.fixture(scope="module")
def _site(django_db_setup, django_db_blocker, cluster):
    often = {"MESSAGE_RATE": "100000", "MESSAGE_BURST": "100000"}
    site = Stack(database=DATABASE, REDIS_URL=cluster.url(), **often)
    yield site
    site.close()


@pytest.fixture
def site(_site, django_db_blocker):
    with lent(_site, django_db_blocker):
        yield _site


@pytest.fixture
def here(cluster, settings):
    """This process on the cluster, too."""
    settings.REDIS_URL = cluster.url()
    options = {"CONNECTION_POOL_KWARGS": settings.REDIS_OPTIONS}
    options |= redis.cache_options(cluster.url())
    each = {"BACKEND": "core.redis.django_cache.shared", "LOCATION": [cluster.url()]}
    settings.CACHES = {name: each | {"OPTIONS": options} for name in ("default", "tokens")}
    yield
    refused = REFUSED & set(cluster.errors())
    assert not refused


def layer_channel(room):
    return f"chattalk__group__{redis.mark('redis+cluster://any', DATABASE)}.room.{room}"


async def test_two_people_talk_over_two_workers_and_see_each_other_type(site, cluster):
    alice, bob = await site.apeople("alice", "bob")
    room = await site.arun(open_room, alice, bob)
    async with site.socket(0, alice) as one, site.socket(1, bob) as two:
        await subscribe(one, room)
        await subscribe(two, room)
        assert (await say(one, room, "hello"))["type"] == "ack"
        assert (await frame(two, "event"))["body"] == "hello"
        await tell(two, "typing", room=room)  # it goes over the layer alone
        assert (await frame(one, "typing"))["user"]["id"] == bob.id
    assert not REFUSED & set(cluster.errors())


async def test_presence_tells_loads_and_buries_in_all_parts(here, cluster):
    one, two = (Leases(cluster.url(), name, lease_seconds=2) for name in ("one", "two"))
    await one.beat()
    await two.beat()
    told = await one.apply([(room, True, [("here", 1, "Alice")]) for room in ROOMS])
    assert all(isinstance(applied, Applied) for _, applied in told)
    told = await two.apply([(room, True, [("here", 1, "Alice")]) for room in ROOMS])
    assert all(applied.elsewhere == [True] for _, applied in told)
    assert (await two.load(ROOM)).held_by == {1: ["one", "two"]}
    versions = await one.versions(list(ROOMS))
    assert versions == [applied.version for _, applied in told]
    assert sorted(await one.rooms_of("one")) == list(ROOMS)
    assert await asyncio.to_thread(counts.here, list(ROOMS)) == dict.fromkeys(ROOMS, 1)
    online = await asyncio.to_thread(counts.online)
    assert online.complete and online.people >= 1
    await _let_die("one", by=two)
    assert await two.rooms_of("one") == [] and (await two.load(ROOM)).held_by == {1: ["two"]}
    await two.apply([(room, False, [("left", 1, "")]) for room in ROOMS])
    assert await asyncio.to_thread(counts.here, list(ROOMS)) == dict.fromkeys(ROOMS, 0)
    await two.release()
    await one.close()
    await two.close()


async def _let_die(name, by):
    while name not in (beat := await by.beat()).dead:
        await asyncio.sleep(0.1)
    for room in await by.rooms_of(name):
        applied = await by.reap(room, name, beat.dead[name])
        assert applied.users == [1] and applied.elsewhere == [True]
    await by.bury(name, beat.dead[name])
    assert name not in (await by.beat()).live


async def test_who_comes_back_while_it_is_buried_keeps_its_people(here, cluster):
    one, two = (Leases(cluster.url(), name, lease_seconds=1) for name in ("back", "other"))
    last = (await one.beat()).now
    await one.apply([(ROOM, True, [("here", 1, "Alice")])])
    await asyncio.sleep(1.2)
    assert await one.apply([(ROOM, True, [])]) == [(ROOM, None)]  # silent for too long
    assert not (await one.beat()).known
    await one.apply([(ROOM, True, [("here", 1, "Alice")])])
    assert await two.reap(ROOM, "back", last) is None
    await two.bury("back", last)
    assert (await two.load(ROOM)).held_by == {1: ["back"]} and "back" in (await two.beat()).live
    await one.apply([(ROOM, False, [("gone", 1, "")])])
    await one.release()
    await two.release()
    await one.close()
    await two.close()


def test_sign_ins_tickets_caches_and_notes_work(here):
    for person in range(20):
        _, stamp = token_cache.find("digest", person)
        token_cache.keep("digest", person, stamp, ("facts",), 60)
        assert token_cache.find("digest", person)[0] == ("facts",)
        token_cache.forget(person)
        assert token_cache.find("digest", person)[0] is None
    token_cache.put_ticket("ticket", "device")
    assert [token_cache.take_ticket("ticket") for _ in range(2)] == ["device", None]
    many = {f"key {number}": number for number in range(50)}
    cache.set_many(many, 60)
    assert cache.get_many(many) == many
    cache.delete_many(many)
    assert cache.get_many(many) == {}
    device = uuid4()
    visits.begin(7, device, at=5)
    assert visits.opens(7, device, "chat") == (5, 0)
    visits.put(7, 1, device, at=6)
    assert visits.left_at(7, device) == 6


async def test_locks_limits_and_leases_work(here, settings):
    settings.JOIN_RATE = 2
    with room_lock(7) as held:
        assert held
        settings.SEAT_WAIT_SECONDS = 0.1
        with room_lock(7) as held_twice:
            assert not held_twice
    who = uuid4().hex
    assert [rate_limits.seconds_to_wait("join", who) > 0 for _ in range(3)] == [False, False, True]
    one, two = lease.Lease("nobody", "one"), lease.Lease("nobody", "two")
    assert await one.hold() and not await two.hold()
    assert await asyncio.to_thread(lease.holder, "nobody") == "one"
    await one.release()
    assert await two.hold()
    await two.release()


async def test_a_client_that_looks_at_the_cluster_anew_has_the_nodes_that_it_closes(cluster):
    client = redis.async_client(cluster.url())
    for _ in range(2):
        await client.get("key")
        client._initialize = True  # as after each failure
    await client.initialize()
    known = client.nodes_manager.nodes_cache
    of_slots = {
        id(node): node for nodes in client.nodes_manager.slots_cache.values() for node in nodes
    }
    assert all(known[node.name] is node for node in of_slots.values())
    await client.aclose()


def test_an_address_of_another_kind_is_told_in_half_a_sentence(cluster):
    url, node = cluster.url(), f"127.0.0.1:{cluster.nodes[0].port}"
    assert probe.redis(url) == ""
    assert probe.redis(f"redis+cluster://{node}") == ""  # one of them knows the others
    assert "it is a node of a cluster" in probe.redis(f"redis://{node}/0")
    assert "invalid username-password" in probe.redis(url.replace("//", "//nobody:wrong@"))
    assert "Connection refused" in probe.redis("redis+cluster://127.0.0.1:1,127.0.0.1:2")
    with pytest.raises(StartFailed, match="REDIS_URL: 'redis://.*' does not fit what is there: it"):
        probe.expect_answer("REDIS_URL", f"redis://{node}/0")


def test_a_user_with_a_password_comes_in(cluster):
    for node in cluster.nodes:
        node.ask("ACL", "SETUSER", "chattalk", "on", ">p@ss", "~*", "&*", "+@all")
    assert probe.redis(cluster.url().replace("//", "//chattalk:p%40ss@")) == ""


def asked(client):
    """How long a question took that nobody answers."""
    began = time.monotonic()
    with pytest.raises(NoConnection):
        client.get("key")
    return time.monotonic() - began


def stand_still(*nodes):
    for node in nodes:
        node.process.signal(signal.SIGSTOP)


def test_who_waits_for_a_cluster_that_stands_still_waits_for_one_node(cluster):
    limits = {"socket_timeout": SILENT_SECONDS, "socket_connect_timeout": SILENT_SECONDS}
    with (
        redis.client(cluster.url(), **limits) as known,
        redis.client(cluster.url(), **limits) as new,
    ):
        known.set("key", "value")
        stand_still(*cluster.nodes)
        try:
            took = [asked(client) for client in (known, new, known, new)]
        finally:
            for node in cluster.nodes:
                node.process.signal(signal.SIGCONT)
        cluster.wait()
        assert known.get("key") == new.get("key") == b"value"
    assert max(took) < 2 * SILENT_SECONDS, took


def test_a_master_that_stands_still_is_replaced_for_who_asks_on(cluster):
    limits = {"socket_timeout": SILENT_SECONDS, "socket_connect_timeout": SILENT_SECONDS}
    with redis.client(cluster.url(), **limits) as client:
        client.set("key", "value")
        stood_still = cluster.owner("key")
        stand_still(stood_still)
        try:
            answered = until(lambda: client.get("key"))
        finally:
            stood_still.process.signal(signal.SIGCONT)
        assert answered == b"value"
    cluster.wait()


async def test_a_slot_that_moves_takes_the_layer_along(site, cluster):
    async def move(room):
        await asyncio.to_thread(cluster.move_slot, layer_channel(room))

    seen, moved_at = await talk(site, move, WITHIN_SECONDS)
    assert seen.back_after(moved_at) < LAYER_BACK_SECONDS


async def test_a_master_that_is_killed_costs_no_line_and_the_layer_is_back_soon(site, cluster):
    async def kill(room):
        cluster.owner(layer_channel(room)).kill()

    seen, killed_at = await talk(site, kill, WITHIN_SECONDS)
    assert seen.late  # it was that master's
    assert seen.back_after(killed_at) < LAYER_BACK_SECONDS


def readyz(url):
    with urllib.request.urlopen(f"{url}/readyz", timeout=10) as answer:
        return answer.status, json.load(answer)["stores"]["redis"]


async def test_while_the_whole_cluster_is_away_people_talk_and_readyz_says_so(site, cluster):
    assert await asyncio.to_thread(readyz, site.urls[0]) == (200, "ok")
    alice, bob = await site.apeople("alice", "bob")
    room = await site.arun(open_room, alice, bob)
    async with site.socket(0, alice) as one, site.socket(1, bob) as two:
        await subscribe(one, room)
        await subscribe(two, room)
        cluster.stop()
        for i in range(5):
            assert (await say(one, room, f"without {i}"))["type"] == "ack"
        said = [(await frame(two, "event"))["body"] for _ in range(5)]
        assert said == [f"without {i}" for i in range(5)]
        async with asyncio.timeout(WITHIN_SECONDS):
            while await asyncio.to_thread(readyz, site.urls[0]) != (200, "down"):
                await asyncio.sleep(0.1)
