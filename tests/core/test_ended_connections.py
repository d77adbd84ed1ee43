"""A connection to Redis that ended is a Redis that is down, and no surprise; on uvloop, too."""

import asyncio

import pytest
import uvloop
from django.conf import settings
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as NoConnection

from core.redis import EndedConnections


def _ending(times: int):
    """Lets that many connections end before the first thing is said."""
    left = [None] * times

    async def on_connect(connection) -> None:
        if left:
            left.pop()
            connection._writer.transport.abort()
            await asyncio.sleep(0)  # uvloop closes it at the end of its turn
        await connection.on_connect()

    return on_connect


async def _connect(times: int, again: int) -> bool:
    redis = Redis.from_url(
        settings.REDIS_URL, retry=EndedConnections(again), redis_connect_func=_ending(times)
    )
    connection = redis.connection_pool.make_connection()
    try:
        await connection.connect()
        return connection.is_connected
    finally:
        await connection.disconnect(nowait=True)


@pytest.fixture(params=[uvloop.new_event_loop, asyncio.new_event_loop])
def run(request):
    with asyncio.Runner(loop_factory=request.param) as runner:
        yield runner.run


def test_what_ended_is_no_connection(run):
    with pytest.raises(NoConnection):
        run(_connect(times=1, again=0))


def test_it_is_asked_once_again(run):
    assert run(_connect(times=1, again=1))
    with pytest.raises(NoConnection):
        run(_connect(times=2, again=1))


def test_what_is_wrong_with_us_stays_so(run):
    async def asked() -> None:
        raise RuntimeError("no current event loop")

    with pytest.raises(RuntimeError, match="no current event loop"):
        run(EndedConnections().call_with_retry(asked, None))
