"""What uvicorn keeps for an idle socket is small, and does what the usual did."""

import asyncio

import pytest

from chattalk.server.idle import Queue
from tests.messaging.served import BOTH_LOOPS, Door, served


async def test_messages_come_in_order_and_none_is_lost_by_who_waits_no_longer():
    queue = Queue()
    waiting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    queue.put_nowait(1)
    waiting.cancel()  # in the very turn in which it came
    with pytest.raises(asyncio.CancelledError):
        await waiting
    queue.put_nowait(2)
    assert [await queue.get(), await queue.get()] == [1, 2]
    assert queue.empty()


async def test_who_waits_gets_what_comes_later():
    queue = Queue()
    asyncio.get_running_loop().call_soon(queue.put_nowait, "late")
    async with asyncio.timeout(5):
        assert await queue.get() == "late"


@BOTH_LOOPS
async def test_an_idle_socket_has_no_dictionary():
    door = Door(is_direct=False)
    async with served(door) as door.url, door.client() as (_, end):
        assert vars(end.protocol) == {}  # else uvicorn has a new attribute: it belongs in SLOTS


@BOTH_LOOPS
async def test_who_sends_waits_for_a_client_that_stalls_and_for_none_that_reads():
    door = Door(is_direct=False)
    async with served(door) as door.url, door.client() as (client, end):
        end.protocol.pause_writing()
        sending = asyncio.create_task(
            end.protocol.send({"type": "websocket.send", "text": "at last"})
        )
        await asyncio.sleep(0)
        assert not sending.done()
        end.protocol.resume_writing()
        await sending
        async with asyncio.timeout(5):
            assert await client.recv() == "at last"
