"""What daphne does otherwise than uvicorn, and what a client of ours makes of it: by the plain
ASGI send alone, without our bounds on what is read. docs/compatibility.md has these lines."""

import asyncio
from contextlib import suppress

import pytest
from chattalk_client.connection import FINAL
from websockets.exceptions import InvalidStatus

from messaging.live.close_codes import CloseCode
from tests.messaging.plainly import application, by_daphne
from tests.messaging.served import served
from tests.raw_line import SECONDS, UPGRADE, connect, frame, head
from tests.raw_socket import frame as next_frame
from tests.raw_socket import say, subscribe, tell, to_the_end
from tests.stack import open_room, socket_at

MIB = 1024 * 1024
TEXT, CLOSE = 1, 8
NO_CLOSE_FRAME = 1006  # never sent; a client makes it of a line that just ends
SOCKET_SECONDS = 7


@pytest.fixture(scope="module")
def daphne(_stack, tmp_path_factory):
    """It is as impatient as its options allow."""
    log = tmp_path_factory.mktemp("daphne") / "log"
    options = ["--ping-interval", "1", "--ping-timeout", "2", "--websocket_timeout"]
    environment = _stack.environment | {"ADDRESS_SOCKETS": "3"}
    with by_daphne(environment, log, *options, str(SOCKET_SECONDS)) as url:
        yield url


async def raw(url, person):
    """A line to /ws/ on which nobody answers a ping."""
    reader, writer = await connect(url)
    writer.write(head("/ws/", *UPGRADE, "Origin: http://127.0.0.1", f"Cookie: {person.cookie}"))
    async with asyncio.timeout(SECONDS):
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
    return reader, writer


async def opcodes(reader):
    """Those of all frames until the line ends; daphne may reset it."""
    found = []
    with suppress(ConnectionResetError):
        while first := await reader.read(1):
            found.append(first[0] & 15)
            size = (await reader.readexactly(1))[0]
            if size > 125:
                size = int.from_bytes(await reader.readexactly(2 if size == 126 else 8), "big")
            await reader.readexactly(size)
    return found


async def test_a_frame_over_its_limit_ends_the_line_without_a_close_frame(stack, daphne):
    (alice,) = await stack.apeople("alice")
    reader, writer = await raw(daphne, alice)
    writer.write(frame(TEXT, b"x" * (MIB + 1)))
    assert CLOSE not in await asyncio.wait_for(opcodes(reader), SECONDS)
    writer.close()


async def test_a_frame_over_our_limit_and_below_its_own_is_refused_and_the_socket_stays(
    stack, daphne
):
    (alice,) = await stack.apeople("alice")
    room = await stack.arun(open_room, alice)
    async with socket_at(daphne, alice) as ws:
        await subscribe(ws, room)
        refused = await say(ws, room, "x" * (MIB - 1024))
        assert (refused["type"], refused["code"]) == ("nack", "too_long")
        assert (await say(ws, room, "short"))["type"] == "ack"


async def test_who_answers_no_ping_loses_the_line_without_a_close_frame(stack, daphne):
    (alice,) = await stack.apeople("alice")
    reader, writer = await raw(daphne, alice)
    assert CLOSE not in await asyncio.wait_for(opcodes(reader), SECONDS)
    writer.close()


async def test_its_own_time_ends_a_busy_socket_as_if_all_were_said_and_ours_come_back(
    stack, daphne
):
    (alice,) = await stack.apeople("alice")
    async with socket_at(daphne, alice) as ws:
        await next_frame(ws, "hello")
        talk = asyncio.create_task(_ping_on(ws))
        await to_the_end(ws)
        talk.cancel()
    assert ws.close_code == CloseCode.DONE
    assert ws.close_code not in FINAL


async def _ping_on(ws):
    while True:
        await tell(ws, "ping")
        await asyncio.sleep(0.1)


async def test_a_handshake_too_many_is_refused_and_never_left_hanging(stack, daphne):
    """uvicorn would say 429; daphne passes no such answer on, so none is given to it."""
    (alice,) = await stack.apeople("alice")
    open_ones = [await socket_at(daphne, alice) for _ in range(3)]
    with pytest.raises(InvalidStatus) as refused:
        await asyncio.wait_for(socket_at(daphne, alice), SECONDS)
    assert refused.value.response.status_code == 403
    for ws in open_ones:
        await ws.close()


async def test_what_escapes_is_1011_by_daphne_and_no_close_frame_by_uvicorn(daphne):
    """So that nothing of ours may: tests/messaging/test_own_faults.py has that."""
    async with socket_at(daphne, path="/raises") as ws:
        await to_the_end(ws)
    assert ws.close_code == CloseCode.INTERNAL_ERROR
    async with served(application) as uvicorn, socket_at(uvicorn, path="/raises") as ws:
        await to_the_end(ws)
    assert ws.close_code == NO_CLOSE_FRAME
