"""Statements past psycopg's cursors: prepared once, whole however large, told when they fail."""

import asyncio

import psycopg
import pytest

from core.postgresql.reads import connect, run

pytestmark = pytest.mark.django_db

ECHO = "SELECT %(text)s::text, %(number)s::bigint, %(text)s::text = 'x'"


@pytest.fixture
async def connection():
    opened = await connect()
    yield opened
    await opened.close()


async def test_values_come_back_as_what_they_are(connection):
    texts = ("x", "", "한 🙂 é", "$1 %s '\"\\")
    for text in texts:
        assert await run(connection, ECHO, {"text": text, "number": "7"}) == [
            (text, 7, text == "x")
        ]
    assert await run(connection, "SELECT 1 WHERE false", {}) == []


async def test_each_is_prepared_once(connection):
    for number in range(3):
        await run(connection, ECHO, {"text": "x", "number": f"{number}"})
    (count,) = await run(connection, "SELECT count(*) FROM pg_prepared_statements", {})
    assert count == (2,)  # this one, too


async def test_what_is_larger_than_a_socket_takes_at_once_arrives_whole(connection):
    text = "12345678" * 1_000_000
    assert await run(connection, ECHO, {"text": text, "number": "7"}) == [(text, 7, False)]


async def test_a_refusal_is_the_one_that_psycopg_names_and_the_next_is_answered(connection):
    with pytest.raises(psycopg.errors.DivisionByZero):
        await run(connection, "SELECT 1 / %(number)s::bigint", {"number": "0"})
    assert await run(connection, "SELECT 1 / %(number)s::bigint", {"number": "1"}) == [(1,)]


@pytest.mark.parametrize("is_idle", [True, False])
async def test_a_line_that_breaks_fails_what_is_under_way_or_comes_next(connection, is_idle):
    ((pid,),) = await run(connection, "SELECT pg_backend_pid()", {})
    async with await connect() as other:
        slow = None if is_idle else asyncio.create_task(run(connection, "SELECT pg_sleep(9)", {}))
        await asyncio.sleep(0)
        while not is_idle and not await run(other, ACTIVE, {"pid": f"{pid}"}):
            pass
        await run(other, "SELECT pg_terminate_backend(%(pid)s::int, 1000)", {"pid": f"{pid}"})
    with pytest.raises(psycopg.OperationalError):
        await (slow or run(connection, "SELECT 1", {}))


ACTIVE = "SELECT 1 FROM pg_stat_activity WHERE pid = %(pid)s::int AND wait_event = 'PgSleep'"


async def test_a_server_that_lets_us_wait_is_hung_up_on(connection):
    loop = asyncio.get_running_loop()
    began = loop.time()
    with pytest.raises(psycopg.OperationalError):
        await run(connection, "SELECT pg_sleep(9)", {}, began + 0.1)
    assert loop.time() - began < 3
