"""One and several processes, all stores up."""

import asyncio
from collections import Counter
from datetime import timedelta

from django.conf import settings
from pymongo.errors import PyMongoError

from core import redis
from presence import farewells, last_seen, services, stored
from presence.marks import Mark
from presence.pending import PendingChange
from presence.room_state import micros, now_micros
from tests.presence.cluster import document, until, utc

ROOM, ALICE, BOB, CHARLIE = 7, 1, 2, 3


async def last_exit(room_id, user_id):
    return await asyncio.to_thread(services.last_exit, room_id, user_id)


async def test_a_person_who_arrives_is_seen_in_all_processes(cluster):
    one, two = await cluster.open("one"), await cluster.open("two")
    await one.watch(ROOM, ALICE, "Alice")

    await two.watch(ROOM, BOB, "Bob")

    both = {ALICE: "Alice", BOB: "Bob"}
    await until(lambda: one.people == both and two.people == both)
    assert one.frames[-1]["came"] == [{"id": BOB, "name": "Bob"}]


async def test_a_person_in_another_room_is_not_seen(cluster):
    one, two = await cluster.open("one"), await cluster.open("two")
    await one.watch(ROOM, ALICE, "Alice")

    await two.watch(ROOM + 1, CHARLIE, "Charlie")
    await two.watch(ROOM, BOB, "Bob")

    await until(lambda: BOB in one.people)
    assert CHARLIE not in one.people and CHARLIE not in two.people


async def test_who_closes_the_last_tab_is_gone_everywhere_with_the_exact_time(cluster):
    one, two = await cluster.open("one"), await cluster.open("two")
    await one.watch(ROOM, ALICE, "Alice")
    await two.watch(ROOM, BOB, "Bob")
    await until(lambda: BOB in one.people)
    at = utc().replace(microsecond=123457)

    two.tracker.untrack(ROOM, BOB, at, 41)

    await until(lambda: one.people == {ALICE: "Alice"})
    written = at.isoformat().replace("+00:00", "Z")
    assert one.frames[-1]["went"] == [{"id": BOB, "at": written}]
    exit = await until(lambda: last_exit(ROOM, BOB))
    assert (exit.at, exit.seq) == (at, 41)
    states = await asyncio.to_thread(services.states, ROOM, [ALICE, BOB, CHARLIE])
    assert states == {
        ALICE: services.State(True, None),
        BOB: services.State(False, at),
    }


async def test_away_is_shown_within_two_seconds_at_the_pace_of_earnest(cluster):
    from presence.timings import STEADY

    one = await cluster.open("one", STEADY)
    two = await cluster.open("two", STEADY)
    await one.watch(ROOM, ALICE, "Alice")
    await two.watch(ROOM, BOB, "Bob")
    await until(lambda: BOB in one.people)

    two.tracker.untrack(ROOM, BOB, utc(), 1)

    await until(lambda: BOB not in one.people, within=2)


async def test_a_second_tab_keeps_a_person_here(cluster):
    one = await cluster.open("one")
    await one.watch(ROOM, ALICE, "Alice")
    one.tracker.track(ROOM, BOB, "Bob")
    one.tracker.track(ROOM, BOB, "Bob")
    await until(lambda: BOB in one.people)

    one.tracker.untrack(ROOM, BOB, utc(), 1)
    one.tracker.track(ROOM, CHARLIE, "Charlie")
    one.tracker.untrack(ROOM, CHARLIE, utc(), 1)

    await until(lambda: any(one["id"] == CHARLIE for f in frames(one) for one in f["went"]))
    assert BOB in one.people
    await until(lambda: is_online(BOB))


async def test_a_tab_in_another_process_keeps_a_person_here(cluster):
    one, two = await cluster.open("one"), await cluster.open("two")
    await one.watch(ROOM, ALICE, "Alice")
    await two.watch(ROOM, BOB, "Bob")
    one.tracker.track(ROOM, BOB, "Bob")
    await until(lambda: BOB in one.people)
    await until(lambda: redis_field(cluster, "one", BOB))

    two.tracker.untrack(ROOM, BOB, utc(), 1)

    await until(lambda: gone_from_redis(cluster, "two", BOB))
    assert BOB in one.people and not any(frame["went"] for frame in frames(one))
    await until(lambda: is_online(BOB))
    assert (await document(ROOM, BOB)).exit_at is None
    first = utc()
    one.tracker.untrack(ROOM, BOB, first, 9)
    await until(lambda: BOB not in one.people)
    assert (await until(lambda: last_exit(ROOM, BOB))).at == first


async def test_a_reload_is_shown_to_nobody_and_not_written(cluster):
    one, two = await cluster.open("one"), await cluster.open("two")
    await one.watch(ROOM, ALICE, "Alice")
    await two.watch(ROOM, BOB, "Bob")
    await until(lambda: BOB in one.people)
    before = await until(lambda: document(ROOM, BOB))
    one.frames.clear()

    for _ in range(3):
        two.tracker.untrack(ROOM, BOB, utc(), 1)
        two.tracker.track(ROOM, BOB, "Bob")
    one.tracker.track(ROOM, CHARLIE, "Charlie")
    one.tracker.untrack(ROOM, CHARLIE, utc(), 1)

    await until(lambda: any(frame["went"] for frame in frames(one)))  # Charlie's grace is over
    assert {one["id"] for f in frames(one) for one in f["came"] + f["went"]} == {CHARLIE}
    assert (await document(ROOM, BOB)).to_mongo() == before.to_mongo()


async def test_moving_to_another_process_is_shown_to_nobody(cluster):
    one, two = await cluster.open("one"), await cluster.open("two")
    await one.watch(ROOM, ALICE, "Alice")
    await two.watch(ROOM, BOB, "Bob")
    await until(lambda: BOB in one.people)
    one.frames.clear()

    two.tracker.untrack(ROOM, BOB, utc(), 1)
    one.tracker.track(ROOM, BOB, "Bob")

    await until(lambda: gone_from_redis(cluster, "two", BOB))
    await until(lambda: is_online(BOB))  # MongoDB is told after Redis
    assert frames(one) == []


async def test_the_exit_moves_only_by_going_away_and_never_back(cluster):
    one = await cluster.open("one")
    await one.watch(ROOM, ALICE, "Alice")
    at = utc()
    for exit_at in (at, at - timedelta(minutes=1)):
        one.tracker.track(ROOM, BOB, "Bob")
        await until(lambda: is_online(BOB))
        one.tracker.untrack(ROOM, BOB, exit_at, 5)
        await until(lambda: is_offline(BOB))
    one.tracker.track(ROOM, BOB, "Bob")
    await until(lambda: is_online(BOB))

    assert (await last_exit(ROOM, BOB)).at == at


async def test_who_gives_up_the_seat_is_gone_at_once_and_forgotten(cluster):
    one, two = await cluster.open("one"), await cluster.open("two")
    await one.watch(ROOM, ALICE, "Alice")
    await two.watch(ROOM, BOB, "Bob")
    one.tracker.track(ROOM, BOB, "Bob")
    await until(lambda: is_online(BOB))
    await until(lambda: BOB in one.people and BOB in two.people)

    one.tracker.left(ROOM, BOB)

    await until(lambda: BOB not in one.people and BOB not in two.people)
    await until(lambda: is_absent(BOB))
    one.tracker.untrack(ROOM, BOB, utc(), 1)
    two.tracker.untrack(ROOM, BOB, utc(), 1)
    one.tracker.track(ROOM, CHARLIE, "Charlie")
    await until(lambda: is_online(CHARLIE))
    assert await is_absent(BOB)


async def test_a_leave_that_was_told_late_does_not_end_who_has_come_back(cluster):
    one, two = await cluster.open("one"), await cluster.open("two")
    await one.watch(ROOM, ALICE, "Alice")
    left_at = now_micros()
    two.tracker.track(ROOM, BOB, "Bob")
    await until(lambda: BOB in one.people)
    first = two.tracker.state.local.get(ROOM, BOB).version

    one.tracker.replicator.add(ROOM, BOB, PendingChange("left", exit_at=left_at))

    await until(lambda: two.tracker.state.local.get(ROOM, BOB).version > first)
    await until(lambda: BOB in one.people)
    await until(lambda: is_online(BOB))


async def test_who_joins_again_is_here_again_without_an_exit(cluster):
    one = await cluster.open("one")
    await one.watch(ROOM, ALICE, "Alice")
    one.tracker.track(ROOM, BOB, "Bob")
    await until(lambda: is_online(BOB))
    one.tracker.untrack(ROOM, BOB, utc(), 5)
    await until(lambda: last_exit(ROOM, BOB))
    one.tracker.left(ROOM, BOB)
    await until(lambda: is_absent(BOB))

    one.tracker.track(ROOM, BOB, "Bob")

    await until(lambda: is_online(BOB))
    await until(lambda: BOB in one.people)
    assert await last_exit(ROOM, BOB) is None


async def test_many_who_ask_for_a_snapshot_at_once_cost_one_load(cluster, monkeypatch):
    one, two = await cluster.open("one"), await cluster.open("two")
    await one.watch(ROOM, ALICE, "Alice")
    await until(lambda: is_online(ALICE))
    loads = Counter()
    leases = two.tracker.state.leases
    load = leases.load
    monkeypatch.setattr(leases, "load", lambda room_id: (loads.update([room_id]), load(room_id))[1])

    passing = await asyncio.gather(*(two.tracker.snapshot(ROOM) for _ in range(50)))
    for user_id in range(100, 150):
        two.tracker.track(ROOM, user_id, f"Person {user_id}")
    staying = await asyncio.gather(*(two.tracker.snapshot(ROOM) for _ in range(50)))

    assert {frame["count"] for frame in passing} == {1}
    assert {frame["count"] for frame in staying} == {51}
    assert loads == {ROOM: 2}


async def test_what_was_told_late_twice_or_never_makes_no_difference(cluster):
    one, two = await cluster.open("one"), await cluster.open("two")
    await one.watch(ROOM, ALICE, "Alice")
    await two.watch(ROOM, BOB, "Bob")
    await until(lambda: BOB in one.people)
    cluster.deliver = False
    two.told.clear()
    for user_id in (10, 11, 12, 13):
        two.tracker.track(ROOM, user_id, "Somebody")
        await until(lambda wanted=user_id: any(wanted in ids(one) for one in two.told))
    two.tracker.untrack(ROOM, 10, utc(), 1)
    await until(lambda: any(change["went"] for change in two.told))

    first, second, third, _, last = two.told  # the fourth is lost
    for change in (third, last, second, first, third, first):
        one.tracker.hear(ROOM, change)

    everybody = {ALICE, BOB, 11, 12, 13}
    await until(lambda: set(one.people) == everybody)


async def test_a_change_that_nobody_told_is_found(cluster):
    one, two = await cluster.open("one"), await cluster.open("two")
    await one.watch(ROOM, ALICE, "Alice")
    cluster.deliver = False

    await two.watch(ROOM, BOB, "Bob")

    await until(lambda: BOB in one.people)


async def test_a_thousand_arrivals_give_few_frames_and_the_right_list(cluster):
    one, two = await cluster.open("one"), await cluster.open("two")
    await one.watch(ROOM, ALICE, "Alice")
    loop = asyncio.get_running_loop()
    began = loop.time()

    for user_id in range(10, 1010):
        (one, two)[user_id % 2].tracker.track(ROOM, user_id, f"Person {user_id}")
        await asyncio.sleep(0.0005)
    await until(lambda: one.count == 1001 and len(one.people) == 200, within=5)

    took = loop.time() - began
    assert set(one.people) == {ALICE, *range(10, 209)}
    assert len(one.frames) <= 4 * took + 2
    await until(lambda: count_is(two, 1001))


async def test_stopping_sends_everybody_away_now(cluster):
    one, two = await cluster.open("one"), await cluster.open("two")
    await one.watch(ROOM, ALICE, "Alice")
    await two.watch(ROOM, BOB, "Bob")
    await until(lambda: BOB in one.people and is_online(BOB))
    before = utc()

    await two.tracker.stop()

    await until(lambda: BOB not in one.people)
    assert before <= (await last_exit(ROOM, BOB)).at <= utc()
    assert (await one.tracker.state.leases.beat()).live == ["one"]


async def test_thousands_who_go_with_their_process_are_written_in_one_piece(cluster, caplog):
    """MongoDB takes longer for so many than a process has that stops; another one stores them."""
    one, people = await cluster.open("one"), range(1, 6_001)
    for user_id in people:
        one.tracker.track(ROOM + user_id % 12, user_id, "Somebody")
    began = now_micros()
    await one.tracker.stop()
    ended = now_micros()
    cluster.servers.remove(one)
    assert caplog.text == ""
    name, marks = await asyncio.to_thread(farewells.one)
    assert name.startswith("one:") and len(marks) > 1_000

    await cluster.open("two")

    await until(lambda: asyncio.to_thread(lambda: farewells.one() is None), within=120)
    pairs = [(ROOM + user_id % 12, user_id) for user_id in people]
    found = await asyncio.to_thread(stored.named, pairs)
    assert len(found) == len(people)
    assert all(not at.online and began <= at.exit_at <= ended for at in found)


async def test_what_was_left_to_others_is_kept_until_it_is_stored(cluster, monkeypatch):
    """And it takes nothing from who has come back meanwhile."""
    gone, version = utc(), now_micros()
    marks = [Mark(ROOM, user_id, version, exit_at=micros(gone), seq=9) for user_id in (ALICE, BOB)]
    await asyncio.to_thread(farewells.leave, "dead", marks)
    tries = []

    def fail(name):
        tries.append(name)
        raise PyMongoError("it has just gone away")

    monkeypatch.setattr(farewells, "forget", fail)

    two = await cluster.open("two")
    await two.watch(ROOM, ALICE, "Alice")

    await until(lambda: len(tries) > 1)  # it came to its end and was kept: it is done again
    monkeypatch.undo()
    await until(lambda: asyncio.to_thread(lambda: farewells.one() is None))
    states = await asyncio.to_thread(services.states, ROOM, [ALICE, BOB])
    assert states == {ALICE: services.State(True, gone), BOB: services.State(False, gone)}


async def test_who_goes_while_a_dead_line_still_counts_is_away_since_they_went(cluster):
    """As on a host that is cut off: what it tells in the end is when it last heard of them."""
    one, two = await cluster.open("one"), await cluster.open("two")
    await one.watch(ROOM, BOB, "Bob")
    await two.watch(ROOM, BOB, "Bob")
    await until(lambda: held_by(one, BOB, ["one", "two"]))
    went = utc()

    two.tracker.untrack(ROOM, BOB, went, 9)
    await until(lambda: held_by(one, BOB, ["one"]))
    one.tracker.untrack(ROOM, BOB, went - timedelta(seconds=20), 3)

    await until(lambda: is_offline(BOB))
    exit = await until(lambda: exit_since(BOB, went))
    assert exit.seq == 9


async def held_by(server, user_id, processes):
    loaded = await server.tracker.state.leases.load(ROOM)
    return sorted(loaded.held_by.get(user_id, [])) == processes


async def exit_since(user_id, at):
    found = await last_exit(ROOM, user_id)
    return found if found and found.at >= at else None


async def test_a_room_that_is_forgotten_costs_nothing_more(cluster):
    one, two = await cluster.open("one"), await cluster.open("two")
    await one.watch(ROOM, ALICE, "Alice")
    one.tracker.untrack(ROOM, ALICE, utc(), 1)
    one.tracker.forget(ROOM)

    await two.watch(ROOM, BOB, "Bob")

    await until(lambda: two.people == {BOB: "Bob"})
    assert one.frames == [] and one.tracker.state.rooms == {}
    await until(lambda: is_offline(ALICE))
    assert await one.tracker.state.leases.rooms_of("one") == []


async def test_a_name_may_be_anything_and_may_change(cluster):
    one, two = await cluster.open("one"), await cluster.open("two")
    await one.watch(ROOM, ALICE, "알리스 : <b>\x00")
    await two.watch(ROOM, BOB, "half \ud800")
    await until(lambda: ALICE in two.people and BOB in one.people)
    assert two.people[ALICE] == "알리스 : <b>\x00"

    one.tracker.track(ROOM, ALICE, "Alice")

    await until(lambda: two.people[ALICE] == "Alice")


async def test_the_indexes_are_made(cluster):
    one = await cluster.open("one")
    await one.watch(ROOM, ALICE, "Alice")
    await until(lambda: is_online(ALICE))

    indexes = await asyncio.to_thread(last_seen.Attendance._get_collection().index_information)

    keys = [tuple(name for name, _ in one["key"]) for one in indexes.values()]
    assert ("room", "user") in keys and ("online", "process") in keys


def frames(server):
    return [{"came": [], "went": []} | frame for frame in server.frames]


def ids(change):
    return [user_id for user_id, _ in change["came"]]


async def count_is(server, count):
    return (await server.tracker.snapshot(ROOM))["count"] == count


async def is_online(user_id):
    found = await document(ROOM, user_id)
    return found and found.online


async def is_offline(user_id):
    found = await document(ROOM, user_id)
    return found and not found.online


async def is_absent(user_id):
    return await document(ROOM, user_id) is None


async def redis_field(cluster, process, user_id):
    loaded = await cluster.servers[0].tracker.state.leases.load(ROOM)
    return process in loaded.held_by.get(user_id, [])


async def gone_from_redis(cluster, process, user_id):
    return not await redis_field(cluster, process, user_id)


async def commands(*names):
    """How often Redis has done these so far, in scripts too."""
    async with redis.async_client(settings.REDIS_URL) as client:
        stats = await client.info("commandstats")
    return sum(stats.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in names)


async def test_a_crowd_costs_redis_some_commands_and_not_some_for_each(cluster):
    one, two, three = [await cluster.open(name) for name in ("one", "two", "three")]
    before = await commands("hset", "hdel", "hmget", "hexists")
    crowd = range(100, 1_600)
    for user in crowd:
        one.tracker.track(ROOM, user, f"u{user}")
    await three.watch(ROOM, ALICE, "Alice")
    for user in crowd[:700]:
        two.tracker.track(ROOM, user, f"u{user}")
    await until(lambda: three.count == 1_501)
    for user in crowd:
        one.tracker.untrack(ROOM, user, utc(), 1)
    await until(lambda: three.count == 701)  # whom another process holds is here still
    assert await commands("hset", "hdel", "hmget", "hexists") - before < 60  # 7,500 before

    for user in crowd[:700]:
        three.tracker.track(ROOM, user, f"u{user}")
    three.tracker.left(ROOM, crowd[0])
    await until(lambda: three.count == 700)
    await two.die()
    for user in crowd[1:600]:
        three.tracker.untrack(ROOM, user, utc(), 1)
    await until(lambda: three.count == 101)  # alice, and a hundred who have a connection still
