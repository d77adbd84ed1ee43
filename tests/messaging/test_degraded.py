"""A site whose stores go away one by one: what each door says, and how it comes back."""

import asyncio
import json
import signal
import urllib.error
import urllib.request
from uuid import uuid4

import psycopg
import pytest
import websockets

from tests.messaging.stores import bring_back, kill, processes, signal_all
from tests.raw_socket import frame, say, subscribe, to_the_end
from tests.stack import open_room


@pytest.fixture
def frail(fragile):
    """What it logs is looked at after each test: no fault of a store is a traceback."""
    fragile.said()
    yield fragile
    said = fragile.said()
    print(said)
    assert "Traceback" not in said


def ask(stack, path, person=None, method="GET", body=b""):
    headers = {"Accept": "text/html,*/*", "Content-Type": "application/json"}
    headers |= person.headers if person else {}
    data = body if method == "POST" else None
    request = urllib.request.Request(stack.urls[0] + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=15) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


async def aask(*args, **named):
    return await asyncio.to_thread(ask, *args, **named)


async def readiness(stack):
    status, _headers, body = await aask(stack, "/readyz")
    return status, json.loads(body)["stores"]


async def until_ready_says(stack, expected):
    """Each part of a process finds out on its own how its store is."""
    async with asyncio.timeout(20):
        while (found := await readiness(stack)) != (200, expected):
            print(found)  # pytest shows it when the time is over
            await asyncio.sleep(0.1)


async def until_all_is_well(stack):
    await until_ready_says(stack, {"postgresql": "ok", "redis": "ok", "mongodb": "ok"})


async def closing(stack, person, path="/ws/", first=None):
    """What a socket is told before it is closed, and by which code and reason."""
    async with stack.socket(0, person, path) as ws:
        if first:
            await ws.send(first)
        told = await to_the_end(ws)
    return told, ws.close_code, ws.close_reason


async def test_without_postgresql_every_door_says_so_at_once_and_when_to_come_back(frail, stores):
    alice, bob = await frail.apeople("alice", "bob")
    room = await frail.arun(open_room, alice, bob)
    kill(stores["postgresql"])

    page = await aask(frail, f"/rooms/{room}/", alice)
    assert page[0] == 503 and 3 <= int(page[1]["Retry-After"]) <= 8
    assert 'http-equiv="refresh"' in page[2]
    form = await aask(frail, f"/rooms/{room}/join/", alice, "POST")
    assert form[0] == 503 and "refresh" not in form[2]  # nobody sends a form again unasked
    words = await aask(frail, "/jsi18n/", alice)  # of the page that says so
    assert words[0] == 200 and words[1]["Content-Type"].startswith("text/javascript")
    assert "gettext" in words[2] and words[1]["Cache-Control"] == "no-store"
    for path in ("/api/v1/me/", "/api/open-chats", "/graphql/"):
        status, headers, body = await aask(frail, path, alice)
        assert (status, headers["Content-Type"]) == (503, "application/problem+json")
        assert json.loads(body)["code"] == "unavailable" and headers["Retry-After"]
    assert (await aask(frail, "/livez", alice))[0] == 200
    assert await readiness(frail) == (503, {"postgresql": "down", "redis": "ok", "mongodb": "ok"})

    _told, code, reason = await closing(frail, alice)
    assert code == 4013 and 1 <= json.loads(reason)["retry_after"] <= 10
    told, code, _reason = await closing(
        frail, alice, "/stomp", "CONNECT\naccept-version:1.2\nhost:x\n\n\0"
    )
    assert told[0].startswith("ERROR") and "code:unavailable" in told[0] and code == 4013

    bring_back(stores["postgresql"])
    await until_all_is_well(frail)
    assert (await aask(frail, f"/rooms/{room}/", alice))[0] == 200


async def test_a_postgresql_that_stands_still_holds_nobody_up(frail, stores):
    """Those who were asking when it stopped wait for a few seconds, those after them not at all."""
    alice, bob = await frail.apeople("alice", "bob")
    room = await frail.arun(open_room, alice, bob)
    pids = processes(stores["postgresql"])
    signal_all(pids, signal.SIGSTOP)
    try:
        async with asyncio.timeout(6):  # 1.5 s of doubt, 2 s for an answer to it
            asked = [aask(frail, "/", alice) for _ in range(5)]
            assert {answer[0] for answer in await asyncio.gather(*asked)} == {503}
        async with asyncio.timeout(1):
            assert (await aask(frail, "/api/v1/me/", alice))[0] == 503
            assert (await closing(frail, bob))[1] == 4013
    finally:
        signal_all(pids, signal.SIGCONT)
    await until_all_is_well(frail)
    async with frail.socket(0, alice) as ws:
        await subscribe(ws, room)
        assert (await say(ws, room, "it goes on"))["type"] == "ack"


async def test_a_long_statement_is_no_outage(frail):
    """The server is there, and has limits of its own."""
    [alice] = await frail.apeople("alice")
    with psycopg.connect(frail.environment["DATABASE_URL"]) as holder:
        holder.execute("LOCK TABLE rooms_room")
        waiting = asyncio.create_task(aask(frail, "/", alice))
        done, _pending = await asyncio.wait([waiting], timeout=1.8)
        assert not done and (await readiness(frail))[0] == 200
    assert (await waiting)[0] == 200


async def test_a_postgresql_that_only_reads_is_read(frail, stores):
    alice, bob = await frail.apeople("alice", "bob")
    room = await frail.arun(open_room, alice)
    with psycopg.connect(stores["postgresql"].url(), autocommit=True) as server:
        try:
            only_reads(server, "on")
            assert (await aask(frail, f"/rooms/{room}/", alice))[0] == 200
            assert (await aask(frail, f"/rooms/{room}/join/", bob, "POST"))[0] == 503
            async with frail.socket(0, alice) as ws:
                await subscribe(ws, room)
                assert (await say(ws, room, "now?"))["code"] == "unavailable"
                only_reads(server, "off")
                async with asyncio.timeout(5):
                    while (await say(ws, room, "and now?"))["type"] != "ack":
                        pass
        finally:
            only_reads(server, "off")


def only_reads(server, value):
    server.execute(f"ALTER SYSTEM SET default_transaction_read_only = {value}")
    server.execute("SELECT pg_reload_conf()")


async def test_without_redis_and_mongodb_people_talk_join_and_read_and_it_heals(frail, stores):
    alice, bob, dana = await frail.apeople("alice", "bob", "dana")
    room = await frail.arun(open_room, alice, bob)
    async with frail.socket(0, alice) as one:
        await subscribe(one, room)
        assert not (await frame(one, "presence"))["degraded"]
        kill(stores["redis"], stores["mongodb"])
        assert (await say(one, room, "without both"))["type"] == "ack"
        assert (await aask(frail, f"/rooms/{room}/join/", dana, "POST"))[0] == 200
        async with frail.socket(0, bob) as two:
            await subscribe(two, room)
            assert (await say(two, room, "as ever"))["type"] == "ack"
        while not (await frame(one, "presence"))["degraded"]:
            pass
        await until_ready_says(frail, {"postgresql": "ok", "redis": "down", "mongodb": "down"})
        bring_back(stores["redis"], stores["mongodb"])
        await until_all_is_well(frail)
        while (await frame(one, "presence"))["degraded"]:
            pass
    assert (await aask(frail, "/", alice))[0] == 200  # still signed in


async def test_who_waits_for_a_redis_that_stands_still_is_one_and_not_all(frail, stores):
    alice, bob = await frail.apeople("alice", "bob")
    room = await frail.arun(open_room, alice, bob)
    async with frail.socket(0, alice) as ws:
        await subscribe(ws, room)
        stores["redis"].process.signal(signal.SIGSTOP)
        try:
            async with asyncio.timeout(3):
                for number in range(20):
                    assert (await say(ws, room, f"{number}"))["type"] == "ack"
                    assert (await aask(frail, "/", alice))[0] == 200
        finally:
            stores["redis"].process.signal(signal.SIGCONT)
    await until_all_is_well(frail)


async def until_somebody_waits(stack):
    """For a lock of the database."""
    asked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    with psycopg.connect(stack.environment["DATABASE_URL"], autocommit=True) as server:
        async with asyncio.timeout(10):
            while server.execute(asked).fetchone() == (0,):
                await asyncio.sleep(0.02)


async def test_a_process_that_stops_serves_what_is_under_way_and_names_a_time_to_come_back(frail):
    alice, bob = await frail.apeople("alice", "bob")
    room = await frail.arun(open_room, alice, bob)
    with psycopg.connect(frail.environment["DATABASE_URL"]) as holder:
        holder.execute("SELECT 1 FROM rooms_room WHERE id = %s FOR UPDATE", [room])
        async with frail.socket(0, bob) as ws:
            await subscribe(ws, room)
            draft = json.dumps({"cid": str(uuid4()), "body": "by REST"}).encode()
            by_rest = asyncio.create_task(
                aask(frail, f"/api/v1/rooms/{room}/events/", alice, "POST", draft)
            )
            await until_somebody_waits(frail)
            frail.workers[0].process.signal(signal.SIGTERM)
            await asyncio.sleep(0.2)  # it may notice later, too: it waits for the message
            holder.commit()
            assert (await frame(ws, "event"))["body"] == "by REST"
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await frame(ws, "nothing more")
    assert (await by_rest)[0] == 201
    assert closed.value.rcvd.code == 1012
    assert 0.5 <= json.loads(closed.value.rcvd.reason)["retry_after"] <= 5
    next_one = asyncio.create_task(aask(frail, "/livez"))  # waits in the listening socket
    await asyncio.to_thread(frail.workers[0].process.wait)
    frail.mend()
    assert (await next_one)[0] == 200
