"""The decoders of the sockets, byte by byte: only the refusal that they document may come out.

No server is needed. `run` works through its decoders in turn until the time is over, or the number
of executions that is asked for is reached.
"""

import time
import traceback
from collections.abc import Callable
from itertools import cycle
from typing import Any, NamedTuple

from faults.fuzz import options
from faults.fuzz.mutation import Mutator
from interfaces.original import sockjs
from interfaces.stomp import destinations, frames, parsing
from messaging.live import frames as wire
from messaging.log.event import encode

AT_ONCE = 500  # executions between two looks at the clock
SHOWN_MAX = 20  # findings that are told in full
EXECUTIONS = 10_000_000

Try = Callable[[Mutator, bytes], None]  # AssertionError: it broke its word; else: what came out


# --- what each of them promises -----------------------------------------------------------------


def try_wire(_mutator: Mutator, data: bytes) -> None:
    """A frame, or BadFrame; and a frame is what was sent: its own text says the same again."""
    try:
        frame = wire.decode(data)
    except wire.BadFrame as refusal:
        assert str(refusal), "refused without a reason"
        assert refusal.names.keys() <= {"ref", "cid"}, refusal.names
        assert all(len(name) <= wire.NAME_MAX for name in refusal.names.values()), refusal.names
        encode(refusal.answer)
        return
    again = wire.decode(encode(frame))
    assert again == frame, (frame, again)
    assert 1 <= getattr(frame, "room", 1) < 2**63


def try_frames(mutator: Mutator, data: bytes) -> None:
    """Frames, then at most one Bad, and nothing after it; wherever the bytes were cut."""
    whole = frames.Parser()
    at_once = list(whole.feed(data))
    in_pieces = frames.Parser()
    one_by_one = [frame for piece in mutator.pieces(data) for frame in in_pieces.feed(piece)]
    assert at_once == one_by_one, (at_once, one_by_one)
    bad = [place for place, frame in enumerate(at_once) if isinstance(frame, frames.Bad)]
    assert bad in ([], [len(at_once) - 1]), at_once
    for frame in at_once:
        if isinstance(frame, frames.Frame):
            _try_fields(frame)


def _try_fields(frame: frames.Frame) -> None:
    """What a session reads of a frame: at most a ValueError comes of it."""
    try:
        said = parsing.body(frame.body)
    except ValueError:
        pass
    else:
        destinations.room_id(said.chatId)
    headers = frame.headers
    parsing.seq(headers.get("after"))
    room, _dash, seq = (headers.get("id") or headers.get("message-id", "")).partition("-")
    destinations.room_id(room)
    parsing.seq(seq)
    parsing.client_id(headers.get("client-id"), 1)
    parsing.heart_beat(headers.get("heart-beat", ""))
    destinations.place(headers.get("destination", ""))
    _try_echo(headers, frames.VERSIONS[len(frame.body) % len(frames.VERSIONS)])


def _try_echo(headers: dict[str, str], version: str) -> None:
    """What comes back in a frame of ours, such as a receipt, never ends it early."""
    echoed = {f"h{place}": value for place, value in enumerate(headers.values())}
    reader = frames.Parser()
    reader.version = version
    (back,) = reader.feed(frames.encode("MESSAGE", echoed, "x", version).encode())
    assert isinstance(back, frames.Frame) and back.body == b"x", (version, echoed, back)
    assert back.headers.keys() == echoed.keys() | {"content-length"}, (version, echoed, back)


def try_sockjs(_mutator: Mutator, data: bytes) -> None:
    """Bytes of whole characters, or None; and what is left over is half a character at most."""
    reader = sockjs.Reader()
    for text in data.decode(errors="surrogateescape").split("\n"):
        read = reader.read(text)
        assert read is None or read.decode().encode() == read
        assert len(reader._half) <= 1


# --- what they are tried with -------------------------------------------------------------------

CID = b'"0e4a7c1e-1d4e-4a43-a5a5-0d6f0f0a7b51"'
WIRE = [
    b'{"type":"subscribe","room":7,"after":41}',
    b'{"type":"unsubscribe","room":7,"ref":"a"}',
    b'{"type":"send","room":7,"cid":' + CID + b',"body":"hello \\ud83d\\ude00 \xea\xb0\x80"}',
    b'{"type":"typing","room":7}',
    b'{"type":"read","room":7,"seq":42}',
    b'{"type":"watch","rooms":[7,9]}',
    b'{"type":"ping","ref":"1"}',
]
JSON = [
    b"null", b"true", b"-1", b"0", b"1e400", b"9" * 40, b"9223372036854775808", b"NaN", b"[[[[",
    b"{" * 40, b'{"a":' * 600, b"[" * 2_000, b"\\ud800", b"\\udc00", b"\\u0000", b"\xff",
    b"\xc0\x80", b'"type":"send"', b'"room":1,', b'"__proto__":{}', b'"$gt":""', b'"', b"\\",
    b"\xef\xbb\xbf", b" ", b"\0", CID,
]  # fmt: skip
STOMP = [
    b"CONNECT\naccept-version:1.0,1.1,1.2\nhost:chat\nheart-beat:10000,10000\n\n\0",
    b"STOMP\r\naccept-version:1.2\r\nhost:chat\r\npasscode:a.b.c\r\n\r\n\0\n",
    b"SUBSCRIBE\nid:0\ndestination:/sub/chat/7\nack:client\nafter:3\nreceipt:r\n\n\0",
    b'SEND\ndestination:/send/chat/message\nclient-id:x\n\n{"chatId":"7","message":"hi"}\0',
    b"SEND\ndestination:/send/chat/enter\ncontent-length:14\n\n" + b'{"chatId":"7"}' + b"\0",
    b"SEND\nx:a\\nb\\cc\\\\d\\re\ncontent-length:3\n\n\0\0\0\0\n\n\0",
    b"ACK\nid:7-41\n\n\0NACK\nid:7\n\n\0DISCONNECT\nreceipt:bye\n\n\0",
    b"\n\r\n\nUNSUBSCRIBE\nid:0\n\n\0",
]
HEADS = [
    b"\0", b"\n", b"\r\n", b"\n\n", b":", b"\\", b"\\n", b"\\t", b"\\r", b"\\c", b"content-length:",
    b"content-length:99999999999\n", b"content-length:-1\n", b"content-length:0\n", b"receipt:",
    b"heart-beat:0,1\n", b"heart-beat:" + b"9" * 60 + b",x\n", b"\xff", b"a:b\n" * 70, b"SEND\n",
    b"CONNECT\n", b"\xf0\x9f\x98\x80", b"x" * 2_000, "\u0663".encode() + b",1",
]  # fmt: skip
SOCKJS = [
    b'["CONNECT\\naccept-version:1.1,1.0\\n\\n\\u0000"]',
    b'["a\\ud83d"]\n["\\ude00b"]',
    b'"one"',
    b"[]",
    b'["x","y"]\n["\xea\xb0\x80"]',
]


class Decoder(NamedTuple):
    try_: Try
    valid: list[bytes]
    tokens: list[bytes]


DECODERS = {
    "wire": Decoder(try_wire, WIRE, JSON),
    "stomp": Decoder(try_frames, STOMP, HEADS + JSON),
    "sockjs": Decoder(try_sockjs, SOCKJS, JSON + [b"\n", b"\\ud83d", b'"]\n["']),
}


def run(seconds: float = 300, seed: int = 1, executions: int = EXECUTIONS) -> dict[str, Any]:
    """`{"executions": …, "by_decoder": {…}, "findings": {"unhandled": …, "broken_word": …},
    "shown": […]}`."""
    end = time.monotonic() + seconds
    mutators = {
        name: Mutator(seed * 7 + place, decoder.valid, decoder.tokens)
        for place, (name, decoder) in enumerate(DECODERS.items())
    }
    done = dict.fromkeys(DECODERS, 0)
    findings, shown = {"unhandled": 0, "broken_word": 0}, list[dict[str, str]]()
    for name in cycle(DECODERS):
        if time.monotonic() > end or sum(done.values()) >= executions:
            break
        for _ in range(AT_ONCE):
            data = next(mutators[name])
            if found := tried(name, mutators[name], data):
                findings[found[0]] += 1
                if len(shown) < SHOWN_MAX:
                    shown.append({"decoder": name, "bytes": repr(data), "why": found[1]})
        done[name] += AT_ONCE
    counted = {"executions": sum(done.values()), "by_decoder": done}
    return counted | {"findings": findings, "shown": shown}


def tried(name: str, mutator: Mutator, data: bytes) -> tuple[str, str] | None:
    """The kind of what is wrong, and how it shows."""
    try:
        DECODERS[name].try_(mutator, data)
    except AssertionError as broken:
        return "broken_word", str(broken)[:500]
    except BaseException:  # whatever else comes out is what we look for
        return "unhandled", traceback.format_exc(limit=-3)
    return None


if __name__ == "__main__":
    options.main(run, __doc__)
