"""Two real workers, each with its metrics on a port of its own: what they say together is true."""

import asyncio
import json
import os
import shutil
import subprocess
import urllib.request
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode

import pytest
from django.db.models import Sum

from chattalk.models import MinuteFigure
from tests import scrape
from tests.raw_socket import frame, say, subscribe, tell
from tests.scrape import PATIENCE, free_ports, parsed, total
from tests.stack import WORKERS, Stack, lent, open_room

SHIPPED = Path(__file__).resolve().parents[3] / "deploy" / "prometheus"
SHOWN = "a-token-that-nobody-guesses"


@pytest.fixture(scope="module")
def _watched(django_db_setup):
    port = str(free_ports(3))
    stack = Stack(
        database="watched", METRICS_PORT=port, METRICS_TOKEN=SHOWN, CHATTALK_WORKERS=str(WORKERS)
    )
    yield stack
    stack.close()


@pytest.fixture
def watched(_watched, django_db_blocker):
    with lent(_watched, django_db_blocker):
        yield _watched


def scraped(stack, number):
    return scrape.at(int(stack.environment["METRICS_PORT"]) + number + 1)


def change(before, after, name, **labels):
    return total(after, name, **labels) - total(before, name, **labels)


async def reached(stack, number, name, value, **labels):
    """What a worker has counted, a moment after its client has seen it."""
    async with asyncio.timeout(PATIENCE):
        while total(found := scraped(stack, number), name, **labels) != value:
            await asyncio.sleep(0.05)
    return found


async def say_some(room, many):
    for number in range(many):
        await room.send(f"number {number}")


async def test_what_was_said_is_the_sum_over_the_workers(watched):
    alice, bob = await watched.apeople("alice", "bob")
    room = await watched.arun(open_room, alice, bob)
    before = [total(scraped(watched, one), "chattalk_messages_total") for one in (0, 1)]
    async with watched.chat(0, alice) as one, watched.chat(1, bob) as other:
        await say_some(await one.enter(room), 3)
        await say_some(await other.enter(room), 4)
    after = [scraped(watched, one) for one in (0, 1)]
    said = [total(found, "chattalk_messages_total") for found in after]
    assert [now - then for now, then in zip(said, before, strict=True)] == [3, 4]
    for number, found in enumerate(after, 1):
        assert {dict(key)["worker"] for key in found["chattalk_messages_total"]} == {str(number)}
        assert total(found, "chattalk_acknowledgement_seconds_count") == said[number - 1]
        assert total(found, "process_resident_memory_bytes") > 10_000_000


async def test_sockets_are_counted_by_door_and_their_ends_by_code(watched):
    (alice,) = await watched.apeople("alice")
    before = scraped(watched, 0)
    here = total(before, "chattalk_sockets", door="ws")
    async with watched.socket(0, alice) as one:
        await frame(one, "hello")
        await reached(watched, 0, "chattalk_sockets", here + 1, door="ws")
    after = await reached(watched, 0, "chattalk_sockets", here, door="ws")
    assert change(before, after, "chattalk_closes_total", by="them", code="1000") == 1
    async with watched.socket(0) as nobody:
        await nobody.wait_closed()
    now = scraped(watched, 0)
    assert change(after, now, "chattalk_closes_total", by="us", code="4001") == 1
    assert change(after, now, "chattalk_closes_total") == 1


async def test_what_goes_to_a_room_is_measured_in_each_worker(watched):
    alice, bob = await watched.apeople("alice", "bob")
    room = await watched.arun(open_room, alice, bob)
    async with watched.socket(0, alice) as one, watched.socket(1, bob) as other:
        await subscribe(one, room)
        await subscribe(other, room)
        before = [scraped(watched, number) for number in (0, 1)]
        await say(one, room, "hello")
        await frame(one, "event")
        await frame(other, "event")
        after = [scraped(watched, number) for number in (0, 1)]
        for then, now in zip(before, after, strict=True):
            assert change(then, now, "chattalk_fanout_seconds_count") == 1
            assert change(then, now, "chattalk_deliveries_total") == 1
            assert 0 <= change(then, now, "chattalk_fanout_seconds_sum") < PATIENCE
            assert total(now, "chattalk_rooms_held") >= 1
        assert change(*(each[0] for each in (before, after)), "chattalk_batch_messages_count") == 1


async def test_refusals_are_counted_at_each_door(watched):
    (alice,) = await watched.apeople("alice")
    before = scraped(watched, 0)
    async with watched.socket(0, alice) as one:
        await tell(one, "subscribe", room=999_999_999)
        await frame(one, "nack")
        await one.send("no frame")
        await frame(one, "nack")
    with pytest.raises(HTTPError) as refused:
        await asyncio.to_thread(urllib.request.urlopen, f"{watched.urls[0]}/api/v1/rooms/")
    refused.value.close()
    after = scraped(watched, 0)
    refusals = "chattalk_refusals_total"
    assert change(before, after, refusals, by="nack", code="not_member") == 1
    assert change(before, after, refusals, by="nack", code="bad_frame") == 1
    assert change(before, after, refusals, by="problem", code="not_authenticated") == 1
    assert change(before, after, refusals) == 3
    assert change(before, after, "chattalk_requests_total", status="401") == 1
    assert change(before, after, "chattalk_request_seconds_count") == 1


def test_the_stores_and_their_pools_are_told(watched):
    scraped(watched, 0)  # which asks PostgreSQL, by the pool for sockets
    found = scraped(watched, 0)
    for store in ("postgresql", "redis", "mongodb"):
        assert total(found, "chattalk_store_state", store=store, state="ok") == 1
        assert total(found, "chattalk_store_state", store=store) == 1
    for pool in ("default", "reads"):
        assert total(found, "chattalk_pool_connections", pool=pool) >= 1
        assert total(found, "chattalk_pool_connections_max", pool=pool) > 1
    assert total(found, "chattalk_pool_requests_total", pool="reads") > 0


def test_a_scrape_takes_the_loop_milliseconds(watched):
    scraped(watched, 0)
    before = scraped(watched, 0)
    for _ in range(50):
        scraped(watched, 0)
    after = scraped(watched, 0)
    spent = change(before, after, "process_cpu_seconds_total")
    assert spent / 50 < 0.01, "seconds of this machine's CPU, in all threads of the worker"


async def test_one_worker_tells_how_far_a_follower_is_behind(watched):
    async with asyncio.timeout(PATIENCE):
        while True:
            found = [scraped(watched, number) for number in (0, 1)]
            leads = [total(one, "chattalk_follower_leads", follower="counters") for one in found]
            if sorted(leads) == [0, 1]:
                break
            await asyncio.sleep(0.1)
    lines = "chattalk_follower_lag_lines"
    assert lines in found[leads.index(1)]


def page(stack, number, **headers):
    asked = urllib.request.Request(f"{stack.urls[number]}/metrics", headers=headers)
    with urllib.request.urlopen(asked, timeout=10) as answer:
        return answer.read().decode()


def test_who_shows_the_token_gets_all_workers_from_any_of_them(watched):
    ports = [scraped(watched, number) for number in (0, 1)]
    for number in (0, 1):
        text = page(watched, number, Authorization=f"Bearer {SHOWN}")
        assert text.count("# TYPE chattalk_messages_total ") == 1
        found = parsed(text)
        for name in ("chattalk_messages_total", "chattalk_batch_messages_bucket"):
            assert total(found, name) == sum(total(one, name) for one in ports)
        assert {dict(key)["worker"] for key in found["process_open_fds"]} == {"1", "2"}


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer another-token-of-somebody"}])
def test_for_all_others_there_is_no_such_page(watched, headers):
    with pytest.raises(HTTPError) as refused:
        page(watched, 0, **headers)
    with refused.value as answer:
        assert answer.code == 404
        assert b"chattalk_" not in answer.read()


@pytest.fixture
def prometheus(_watched, tmp_path):
    """A real one, which scrapes both workers each second; its address."""
    if shutil.which("prometheus") is None and not os.environ.get("CI"):
        pytest.skip("Prometheus is not installed (apt install prometheus).")
    port, base = free_ports(1), int(_watched.environment["METRICS_PORT"])
    shipped = (SHIPPED / "prometheus.yml").read_text().replace("15s", "1s")
    written = shipped.replace("chattalk.rules.yml", str(SHIPPED / "chattalk.rules.yml"))
    (tmp_path / "prometheus.yml").write_text(
        written.replace("127.0.0.1:9401", f"127.0.0.1:{base + 1}")
        .replace("127.0.0.1:9402", f"127.0.0.1:{base + 2}")
        .replace("- 127.0.0.1:9400 ", "#")
    )
    command = ["prometheus", f"--config.file={tmp_path}/prometheus.yml"]
    command += [f"--storage.tsdb.path={tmp_path}/data", f"--web.listen-address=127.0.0.1:{port}"]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(PATIENCE)


def asked(url, query):
    """The value of a query that has one; None while it has none, or nobody answers."""
    try:
        with urllib.request.urlopen(
            f"{url}/api/v1/query?{urlencode({'query': query})}", timeout=5
        ) as answer:
            found = json.load(answer)["data"]["result"]
    except OSError:
        return None
    return float(found[0]["value"][1]) if found else None


async def test_prometheus_adds_the_workers_up(watched, prometheus):
    alice, bob = await watched.apeople("alice", "bob")
    room = await watched.arun(open_room, alice, bob)
    async with watched.chat(0, alice) as one, watched.chat(1, bob) as other:
        await say_some(await one.enter(room), 5)
        await say_some(await other.enter(room), 6)
    stored = sum(total(scraped(watched, one), "chattalk_messages_total") for one in (0, 1))
    assert stored >= 11
    async with asyncio.timeout(PATIENCE):
        while asked(prometheus, "sum(chattalk_messages_total)") != stored:
            await asyncio.sleep(0.2)
    assert asked(prometheus, 'count(up{job="chattalk"} == 1)') == 2
    assert asked(prometheus, 'count(chattalk_store_state{state="ok"} == 1)') == 6


def figure(name):
    return MinuteFigure.objects.filter(name=name).aggregate(all=Sum("value"))["all"] or 0


async def test_what_a_worker_counted_in_its_last_minute_is_kept(watched):
    """The last, for a worker is started anew by it."""
    alice, bob = await watched.apeople("alice", "bob")
    room = await watched.arun(open_room, alice, bob)
    async with watched.chat(0, alice) as one:
        await say_some(await one.enter(room), 3)
    said = total(scraped(watched, 0), "chattalk_messages_total")
    assert said >= 3
    watched.terminate(0)
    assert await watched.arun(figure, "chattalk_messages_total") >= said
