"""What a client may send on a WebSocket, right and wrong, by the chapters of RFC 6455: streams of
frames, each a list of the bytes of one frame. A server's answers to them can be compared."""

import struct

from tests.raw_line import frame

TEXT, BYTES, CLOSE, PING, PONG = 1, 2, 8, 9, 10
KIB = 1024
LONGEST = 64 * KIB  # bytes of a message

CHARACTERS = "κόσμε 안녕 \U0001f600 \u0000\ufeff\uffff\U0010ffff"
NO_UTF8 = {
    "a lone continuation": b"\x80",
    "two continuations": b"\xbf\x80",
    "a start without its rest": b"\xc3",
    "an overlong slash": b"\xc0\xaf",
    "an overlong slash of three": b"\xe0\x80\xaf",
    "a surrogate": b"\xed\xa0\x80",
    "a surrogate in words": "κόσμε".encode() + b"\xed\xa0\x80edited",
    "beyond the last character": b"\xf4\x90\x80\x80",
    "five bytes": b"\xf8\x88\x80\x80\x80",
    "impossible bytes": b"\xfe\xfe\xff\xff",
}
BROKEN_OFF = "안녕".encode()[:4]
CODES = [0, 999, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1011, 1012, 1015, 1016, 1100,
         2000, 2999, 3000, 3999, 4000, 4999, 5000, 65535]  # fmt: skip


def masked(opcode, data=b"", *, fin=True, bits=0, by=b"\x37\xfa\x21\x3d"):
    """With a mask that changes something."""
    mixed = bytes(byte ^ by[i % 4] for i, byte in enumerate(data))
    head = frame(opcode, data, fin=fin, bits=bits)[: -len(data) or None]
    return head[:-4] + by + mixed


def pieces(text, at, opcode=TEXT):
    """A message in frames, cut at these bytes."""
    ends = [*at, len(text)]
    parts = [text[start:end] for start, end in zip([0, *at], ends, strict=True)]
    last = len(parts) - 1
    return [masked(0 if i else opcode, part, fin=i == last) for i, part in enumerate(parts)]


def close(code=None, reason=b""):
    return masked(CLOSE, b"" if code is None else struct.pack("!H", code) + reason)


def texts():
    """Messages as they should be."""
    for size in (0, 1, 4, 125, 126, 127, 128, 200, 65_535, LONGEST):
        yield f"a text of {size} bytes", [masked(TEXT, b"*" * size)]
        yield f"{size} bytes that are no text", [masked(BYTES, b"\xfe" * size)]
    yield "a text whose mask is zeros", [frame(TEXT, b"as it is")]
    yield "a length in more bytes than it needs", [b"\x81\xfe\0\5\0\0\0\0short"]
    yield "a length in eight bytes", [b"\x81\xff\0\0\0\0\0\0\0\5\0\0\0\0short"]
    yield "all kinds of characters", [masked(TEXT, CHARACTERS.encode())]
    yield "many texts", [masked(TEXT, b"%d" % i) for i in range(50)]
    yield "some that have to wait", [masked(TEXT, b"wait %d" % i) for i in range(0, 9)]
    mixed = [masked(TEXT, b"wait" if i % 3 else b"go") for i in range(20)]
    yield "some that have to wait among others", mixed


def controls():
    for size in (0, 1, 124, 125):
        yield f"a ping of {size} bytes", [masked(PING, b"\xfe" * size)]
        yield f"a pong of {size} bytes that nobody asked for", [masked(PONG, b"\xfe" * size)]
    for opcode in (PING, PONG, CLOSE):
        yield f"a control {opcode} of 126 bytes", [masked(opcode, b"\3\350" + b"x" * 124)]
        yield f"a control {opcode} in pieces", [masked(opcode, fin=False), masked(0)]
    yield "pings among texts", [masked(o, b"p%d" % i) for i in range(5) for o in (PING, TEXT)]


def fragments():
    text = CHARACTERS.encode()
    yield "two pieces", pieces(text, [5])
    yield "each byte a piece", pieces(text, range(1, len(text)))
    yield "pieces of nothing", pieces(b"", [0, 0, 0])
    yield "pieces of bytes", pieces(b"\xfe" * 300, [10, 100], BYTES)
    first, *rest = pieces(text, [5, 9])
    yield "pings between pieces", [first, masked(PING, b"1"), rest[0], masked(PING, b"2"), rest[1]]
    yield "a text after pieces", [first, *rest, masked(TEXT, b"after"), masked(TEXT, b"again")]
    yield "pieces after a text", [masked(TEXT, b"before"), first, *rest]
    yield "a text between pieces", [first, masked(TEXT, b"whole"), *rest]
    yield "bytes between pieces", [first, masked(BYTES, b"whole"), *rest]
    yield "a close between pieces", [first, close(1000)]
    yield "an end of nothing", [masked(TEXT, b"before"), masked(0, b"what of?")]
    yield "a piece of nothing", [masked(0, b"what of?", fin=False), masked(0)]
    yield "256 pieces", pieces(b"*" * 256, range(1, 256))
    yield "257 pieces", pieces(b"*" * 257, range(1, 257))
    yield "pieces as long as allowed", pieces(b"*" * LONGEST, [40 * KIB])
    yield "pieces that are too long", pieces(b"*" * (LONGEST + 1), [40 * KIB])


def wrong_utf8():
    for name, data in NO_UTF8.items():
        yield name, [masked(TEXT, data)]
        yield f"{name}, after a text", [masked(TEXT, b"good"), masked(TEXT, data)]
        yield f"{name}, in a piece", [*pieces(b"good " + data, [3]), masked(TEXT, b"more")]
        yield f"{name}, as bytes", [masked(BYTES, data)]
        yield f"{name}, as a reason", [close(1000, data)]
    yield "a character that breaks off", [masked(TEXT, BROKEN_OFF), masked(PING)]
    yield "a character in two pieces", pieces("안녕".encode(), [4])


def wrong_heads():
    for bits in range(1, 8):
        for opcode in (TEXT, BYTES, PING, CLOSE):
            yield f"reserved bits {bits} of {opcode}", [masked(opcode, b"\3\350", bits=bits)]
    for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
        yield f"the opcode {opcode}", [masked(TEXT, b"before"), masked(opcode, b"x")]
    for opcode in (0, TEXT, BYTES, PING, PONG, CLOSE):
        yield f"an unmasked {opcode}", [masked(TEXT, b"x"), frame(opcode, b"\3\350", mask=False)]
    for size in (LONGEST + 1, 2**31, 2**63 - 1, 2**63, 2**64 - 1):
        yield f"{size} bytes, announced", [masked(TEXT, b"x"), frame(TEXT, length=size)]
    yield "a text that is too long", [masked(TEXT, b"*" * (LONGEST + 1)), masked(TEXT, b"x")]


def closes():
    yield "a close that says nothing", [close()]
    yield "a close of one byte", [masked(CLOSE, b"\3")]
    yield "a close with a reason", [close(1000, b"good bye")]
    yield "the longest reason", [close(1000, b"*" * 123)]
    for code in CODES:
        yield f"a close with {code}", [masked(TEXT, b"last"), close(code)]
    after = [masked(TEXT, b"after it"), masked(PING, b"after it"), close(1001)]
    yield "what comes after a close", [close(1000), *after]
    yield "what comes after a fault", [masked(3), *after]
    yield "what comes after no UTF-8", [masked(TEXT, b"\xff"), *after]
    yield "the server closes", [masked(TEXT, b"close"), *after]


FAMILIES = (texts, controls, fragments, wrong_utf8, wrong_heads, closes)
