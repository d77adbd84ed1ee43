"""The short way of what is read, held beside the long one: the same frames, the same answers."""

import asyncio
import struct
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from uvicorn.server import ServerState

from chattalk.server.connection_timeouts import SocketProtocol
from chattalk.server.worker import configuration
from messaging.live.outbox import Outbox
from messaging.live.packets import packet
from messaging.live.transport import Connection, behind, hand_over
from tests.messaging.wire_cases import CLOSE, FAMILIES, PING, TEXT, close, masked, pieces
from tests.raw_line import UPGRADE, head

TURNS = 10  # of the loop, in which all is done that can be done


class LongWay(SocketProtocol):
    """Each byte goes to uvicorn's class: what all is compared with."""

    def read_whole_texts(self, data):
        return data


class Line(asyncio.Transport):
    """Keeps what the server writes."""

    def __init__(self):
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.written, self.is_paused, self._is_closing = bytearray(), False, False

    def write(self, data):
        self.written += data

    def get_write_buffer_size(self):
        return 0

    def is_closing(self):
        return self._is_closing

    def close(self):
        self._is_closing = True

    abort = close

    def pause_reading(self):
        self.is_paused = True

    def resume_reading(self):
        self.is_paused = False


@dataclass
class Seen:
    """What became of a stream of frames."""

    messages: list = field(default_factory=list)  # that the application got
    end: dict | None = None  # as it was told to the application
    answers: list = field(default_factory=list)  # messages that were sent back
    controls: list = field(default_factory=list)  # frames, in order
    is_closed: bool = False
    at_once: int = 0  # messages that needed no queue


def echo(seen):
    """An application that answers each text; some it does only after a while."""

    async def application(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        outbox = Outbox(send, Connection(behind(send)))

        def take(text):
            if text.startswith(("wait", "close")):
                return False
            seen.at_once += 1
            answer(text)
            return True

        def answer(said):
            seen.messages.append(said)
            outbox.put(packet(said if isinstance(said, str) else b"%d bytes" % len(said)))

        hand_over(receive, take)
        while (message := await receive())["type"] != "websocket.disconnect":
            said = message.get("text", message.get("bytes"))
            if said == "wait":
                await asyncio.sleep(0)
            answer(said)
            if said == "close":
                await asyncio.sleep(0)
                await send({"type": "websocket.close", "code": 4000})
        seen.end = message

    return application


async def turns():
    for _ in range(TURNS):
        await asyncio.sleep(0)


async def told(protocol_class, chunks):
    """What is seen of these bytes, as they come."""
    seen, line, config = Seen(), Line(), configuration()
    config.app, config.lifespan = echo(seen), "off"
    config.load()
    protocol = protocol_class(config, ServerState(), {}, asyncio.get_running_loop())
    protocol.connection_made(line)
    protocol.data_received(head("/", *UPGRADE))
    await turns()
    assert line.written.startswith(b"HTTP/1.1 101")
    line.written = line.written.partition(b"\r\n\r\n")[2]
    for chunk in chunks:
        if line.is_closing():
            break
        protocol.data_received(chunk)
        await turns()
        assert line.is_closing() or not line.is_paused
    seen.is_closed = line.is_closing()
    protocol.connection_lost(None)
    await turns()
    _sort(bytes(line.written), seen)
    return seen


def _sort(written, seen):
    """Frames of a server: neither masks nor pieces."""
    while written:
        opcode, size, start = written[0] & 15, written[1], 2
        if size == 126:
            size, start = struct.unpack("!H", written[2:4])[0], 4
        elif size == 127:
            size, start = struct.unpack("!Q", written[2:10])[0], 10
        data, written = written[start : start + size], written[start + size :]
        (seen.answers if opcode == TEXT else seen.controls).append((opcode, data))
        assert not (opcode == TEXT and any(code == CLOSE for code, _ in seen.controls)), (
            "no message after a close"
        )


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
async def test_both_ways_give_the_same_answer_to_each_frame(family):
    for name, frames in family():
        expected = await told(LongWay, frames)
        seen = await told(SocketProtocol, frames)
        assert expected.at_once == 0
        seen.at_once = 0
        assert seen == expected, name


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
async def test_both_ways_give_the_same_answer_to_each_byte(family):
    for name, frames in family():
        said = b"".join(frames)
        if len(said) < 1_000:
            chunks = [said[i : i + 1] for i in range(len(said))]
            assert await told(SocketProtocol, chunks) == await told(LongWay, chunks), name


async def test_a_text_that_is_none_and_a_close_after_it_are_no_fault_of_ours():
    """In one piece; uvicorn 0.54 raises InvalidState."""
    seen = await told(LongWay, [masked(TEXT, b"\xff") + close(1000)])
    assert seen.is_closed and seen.controls == [(CLOSE, struct.pack("!H", 1000))]
    assert seen.end["code"] == 1000


async def test_whole_texts_need_no_queue():
    seen = await told(SocketProtocol, [masked(TEXT, b"one") + masked(TEXT, b"two")])
    assert seen.at_once == 2
    assert seen.answers == [(TEXT, b"one"), (TEXT, b"two")]


async def test_a_text_after_one_that_is_still_done_waits_for_it():
    texts = [masked(TEXT, said) for said in (b"wait", b"go", b"wait", b"go", b"go")]
    seen = await told(SocketProtocol, [b"".join(texts)])
    assert seen.messages == ["wait", "go", "wait", "go", "go"]
    assert seen.at_once == 0


async def test_the_short_way_is_taken_again_after_the_long_one():
    odd = [masked(PING), *pieces(b"cut in two", [4]), masked(TEXT, b"*" * 100)[:50]]
    rest = masked(TEXT, b"*" * 100)[50:]
    for number, chunk in enumerate(odd[:1] + [b"".join(odd[1:3])] + [odd[3]]):
        chunks = [chunk, *([rest] if number == 2 else [])]
        seen = await told(SocketProtocol, [*chunks, masked(TEXT, b"plain")])
        assert seen.at_once == 1 and seen.messages[-1] == "plain"


_frames = st.one_of(
    st.binary(max_size=300).map(lambda data: [masked(TEXT, data.hex().encode())]),
    st.sampled_from([b"wait", b"go", "안녕".encode(), b"*" * 130]).map(
        lambda text: [masked(TEXT, text)]
    ),
    st.sampled_from([[masked(PING, b"p")], pieces("안녕".encode(), [2, 4]), [masked(10)]]),
)
_ends = st.sampled_from(
    [[], [masked(3)], [masked(TEXT, b"\xff")], [close(1000)], [masked(TEXT, b"x", bits=4)]]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(_frames, max_size=8), _ends, st.lists(st.integers(1, 600), max_size=12))
def test_however_the_bytes_are_cut_the_answers_are_the_same(parts, end, sizes):
    """Cut at frames by the long way: what comes before a fault is then given out, always."""
    frames = [one for part in [*parts, end] for one in part]
    said, chunks = b"".join(frames), []
    for size in sizes:
        chunks.append(said[:size])
        said = said[size:]
    chunks.append(said)

    async def both():
        return await told(LongWay, frames), await told(SocketProtocol, filter(None, chunks))

    expected, seen = asyncio.run(both())
    assert seen.messages == expected.messages[: len(seen.messages)], "the same, in order"
    if expected.controls and expected.controls[-1][0] == CLOSE:
        assert seen.controls[-1] == expected.controls[-1]
    else:
        assert (seen.messages, seen.controls) == (expected.messages, expected.controls)
