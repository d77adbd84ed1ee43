"""What no client of ours sends: at the wire of WebSocket it ends the socket, early and without
being kept; in a frame of JSON it is answered, and the socket stays."""

import asyncio
import struct

import pytest
from asgiref.sync import sync_to_async

from interfaces.original import sockjs
from tests.interfaces.original.sockets.client import SockJS
from tests.interfaces.socket.client import session_cookie, socket
from tests.interfaces.stomp.client import opened as opened_stomp
from tests.interfaces.stomp.client import stomp
from tests.messaging.conftest import closed_node, given_back  # noqa: F401  (fixtures)
from tests.messaging.served import served
from tests.raw_line import SECONDS, UPGRADE, connect, frame, head

KIB = 1024
TEXT, BYTES, PING = 1, 2, 9
DOORS = ["/ws/", "/stomp", "/stomp/chat/123/abcdefgh/websocket"]


async def opened(url, path, cookie):
    reader, writer = await connect(url)
    lines = [*UPGRADE, "Origin: http://127.0.0.1", f"Cookie: {cookie}"]
    writer.write(head(path, *lines))
    async with asyncio.timeout(SECONDS):
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
    return reader, writer


async def closed_with(reader):
    """The code of the close frame; other frames are passed over."""
    async with asyncio.timeout(SECONDS):
        while True:
            first, size = await reader.readexactly(2)
            if size == 126:
                size = int.from_bytes(await reader.readexactly(2), "big")
            data = await reader.readexactly(size)
            if first & 15 == 8:
                return struct.unpack("!H", data[:2])[0]


WRONG = {
    "one byte too many": (frame(TEXT, b"x" * (64 * KIB + 1)), 1009),
    "a gibibyte, announced": (frame(TEXT, length=2**30), 1009),
    "as much as can be announced": (frame(TEXT, length=2**63 - 1), 1009),
    "pieces that grow too large": (
        frame(TEXT, b"x" * 40 * KIB, fin=False) + frame(0, b"x" * 40 * KIB, fin=False), 1009,
    ),
    "invalid UTF-8": (frame(TEXT, b"\xff\xfe"), 1007),
    "half a character": (frame(TEXT, "한".encode()[:2]), 1007),
    "a reserved bit": (frame(TEXT, b"{}", bits=4), 1002),
    "all reserved bits": (frame(TEXT, b"{}", bits=7), 1002),
    "unmasked": (frame(TEXT, b"{}", mask=False), 1002),
    "an opcode that is none": (frame(3, b"{}"), 1002),
    "a control opcode that is none": (frame(11), 1002),
    "a ping of 126 bytes": (frame(PING, b"x" * 126), 1002),
    "a ping in pieces": (frame(PING, b"x", fin=False), 1002),
    "a piece of nothing": (frame(0, b"x"), 1002),
    "a text inside a text": (frame(TEXT, b"{", fin=False) + frame(TEXT, b"}"), 1002),
    "a close of one byte": (frame(8, b"x"), 1002),
    "a close with a code that is none": (frame(8, struct.pack("!H", 1005)), 1002),
}  # fmt: skip


@pytest.mark.parametrize("path", DOORS)
async def test_what_breaks_the_wire_is_closed_with_the_code_that_says_why(alice, caplog, path):
    cookie = (await sync_to_async(session_cookie)(alice))[1].decode()
    async with served() as url:
        for name, (said, code) in WRONG.items():
            reader, writer = await opened(url, path, cookie)
            writer.write(said)
            assert await closed_with(reader) == code, name
            writer.close()
    assert not [record for record in caplog.records if record.exc_info], "no fault of ours"


@pytest.mark.parametrize("path", DOORS)
async def test_a_million_pieces_of_nothing_are_closed_and_not_kept(alice, path):
    cookie = (await sync_to_async(session_cookie)(alice))[1].decode()
    async with served() as url:
        reader, writer = await opened(url, path, cookie)
        writer.write(frame(TEXT, fin=False))
        piece = frame(0, fin=False) * 1_000
        answer = asyncio.create_task(closed_with(reader))
        for _ in range(1_000):
            if answer.done():
                break
            writer.write(piece)
            try:
                await writer.drain()
            except ConnectionError:
                break
        assert await answer == 1009
        writer.close()


DEEP = [10**3, 10**4, 15_000]  # what fits into 64 KiB; more is 1009
NONSENSE = {
    "NaN": '{"type": "ping", "ref": NaN}',
    "infinity": '{"type": "read", "room": 1, "seq": Infinity}',
    "an exponent": '{"type": "read", "room": 1, "seq": 1e400}',
    "a huge number": f'{{"type": "read", "room": 1, "seq": {"9" * 60_000}}}',
    "a number beyond 64 bits": f'{{"type": "read", "room": {2**64}, "seq": 1}}',
    "a negative one": '{"type": "read", "room": -1, "seq": 1}',
    "a text for a number": '{"type": "read", "room": "1", "seq": 1}',
    "no object": "[1]",
    "a blank": " ",
    "no type": "{}",
    "a type that is none": '{"type": "__init__"}',
    "a type that is no text": '{"type": {"$gt": ""}}',
    "half a surrogate pair": '{"type": "\\ud800"}',
    "two values": '{"type": "ping"}{"type": "ping"}',
} | {
    f"{depth} deep {where}": text
    for depth in DEEP
    for where, text in (
        ("alone", "[" * depth + "]" * depth),
        ("open", "[" * depth),
        ("in a field", '{"type": "ping", "x": ' + "[" * depth + "]" * depth + "}"),
        ("in objects", '{"a":' * (depth // 2) + "1" + "}" * (depth // 2)),
    )
}


async def test_nonsense_in_json_is_a_bad_frame_and_the_socket_stays(alice):
    async with socket(alice) as client:
        for name, text in NONSENSE.items():
            await client.raw.send_to(text_data=text)
            answer = await client.next("nack", "pong")
            if answer["type"] == "nack":
                assert answer["code"] == "bad_frame", name
            else:  # a field that nobody reads: msgspec passes over it, however deep
                assert "in a field" in name
        await client.send("ping", ref="still here")
        assert (await client.next("pong"))["ref"] == "still here"


async def test_a_name_twice_and_thousands_of_names_are_no_harm(alice):
    """The last of two counts, as everywhere in JSON; names that are not listed are passed over."""
    async with socket(alice) as client:
        await client.raw.send_to(text_data='{"type": "ping", "ref": "1", "ref": "2"}')
        assert (await client.next("pong"))["ref"] == "2"
        many = ",".join(f'"k{number}":0' for number in range(6_000))
        await client.raw.send_to(text_data=f'{{"type": "ping", "ref": "3", {many}}}')
        assert (await client.next("pong"))["ref"] == "3"


@pytest.mark.usefixtures("given_back")
async def test_nonsense_in_a_body_of_stomp_is_refused_and_the_connection_stays(alice):
    bodies = [text for text in NONSENSE.values() if "in a field" not in text]
    bodies += ['{"chatId": {"$gt": ""}}', '{"chatId": ' + "9" * 10**4 + "}", '{"chatId": NaN}']
    async with stomp(alice) as client:
        await client.subscribe("/user/queue/errors", id="e")
        for body in bodies:
            await client.send("SEND", body, destination="/send/chat/message")
            error = await client.next("MESSAGE", subscription="e")
            assert error.headers["code"] == "bad_frame", body[:40]
        await client.asked("UNSUBSCRIBE", id="e")


@pytest.mark.parametrize("text", ["[" * 10**3, "[" * 10**4, '{"a":' * 10**4, "[NaN]", "9" * 10**4])
async def test_what_is_not_sockjs_breaks_its_protocol(alice, text):
    async with opened_stomp("/stomp/chat/042/abcd1234/websocket", kind=SockJS) as client:
        assert (await client.raw.receive_output())["text"] == sockjs.OPEN
        await client.raw.send_to(text_data=text)
        assert await client.frame() is None
        assert client.closed == 1002


@pytest.mark.parametrize(
    "body",
    [
        "[" * 10**3, "[" * 60_000, "[" * 30_000 + "]" * 30_000, '{"a":' * 10_000,
        '{"email": NaN}', '{"email": -Infinity}', '{"email": ' + "9" * 60_000 + "}",
        '{"email": "a", "email": "b"}', '{"email": "\\ud800"}', "\xff",
        "{" + ",".join(f'"k{n}": 0' for n in range(10**5)) + "}",
    ],
    ids=lambda body: body[:12],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/api/v1/tokens/", "/api/users/login", "/graphql/"])
def test_nonsense_in_a_body_is_a_problem_of_the_one_who_sends_it(client, alice, path, body):
    client.force_login(alice)
    answer = client.generic("POST", path, body.encode("latin-1"), content_type="application/json")
    assert answer.status_code in (400, 401, 413), answer.content
    assert answer["Content-Type"] == "application/problem+json"
