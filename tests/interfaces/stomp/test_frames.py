"""The codec takes whatever comes, however it is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interfaces.stomp.frames import (
    FRAME_MAX,
    HEAD_MAX,
    HEADERS_MAX,
    VERSIONS,
    Bad,
    Frame,
    Parser,
    encode,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
COMMANDS = st.sampled_from(["SEND", "SUBSCRIBE", "UNSUBSCRIBE", "ACK", "DISCONNECT"])
BODIES = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


def plain(text: str, version: str) -> bool:
    """What that version can carry in a header."""
    forbidden = {"1.0": "\0\r\n:\\", "1.1": "\0\r", "1.2": "\0"}[version]
    stripped = text.strip() if version == "1.0" else text
    return stripped == text and not set(text) & set(forbidden)


@st.composite
def frames(draw, version):
    names = TEXT.filter(lambda text: text and text != "content-length" and plain(text, version))
    values = TEXT.filter(lambda text: plain(text, version))
    headers = draw(st.dictionaries(names, values, max_size=8))
    return draw(COMMANDS), headers, draw(BODIES)


def read(*pieces: bytes, version: str = "1.2") -> list[Frame | Bad]:
    parser = Parser()
    parser.version = version
    return [frame for piece in pieces for frame in parser.feed(piece)]


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in zip(edges, edges[1:], strict=False)]


@given(st.data(), st.sampled_from(VERSIONS), st.lists(st.integers(0), max_size=12))
def test_frames_come_out_as_they_went_in_wherever_they_are_cut(data, version, cuts):
    sent = data.draw(st.lists(frames(version), max_size=4))
    beats = data.draw(st.sampled_from(["", "\n", "\r\n\n"])) if sent else "\n"
    stream = "".join(encode(*frame, version=version) + beats for frame in sent).encode()
    got = read(*pieces(stream, cuts), version=version)
    assert [(f.command, f.headers | {"content-length": ""}, f.body.decode()) for f in got] == [
        (command, headers | {"content-length": ""}, body) for command, headers, body in sent
    ]


@given(st.data(), st.sampled_from(VERSIONS))
def test_a_truncated_frame_is_waited_for(data, version):
    stream = encode(*data.draw(frames(version)), version=version).encode()
    cut = data.draw(st.integers(0, len(stream) - 1))
    assert read(stream[:cut], version=version) == []


@given(st.lists(st.binary(max_size=200), max_size=8), st.sampled_from(VERSIONS))
def test_nothing_from_outside_raises(noise, version):
    for frame in read(*noise, version=version):
        assert isinstance(frame, Frame | Bad)


LIKELY = st.sampled_from(
    [b"SEND", b"CONNECT", b"\n", b"\r\n", b"\r", b":", b"\\", b"\\c", b"\\x", b"\0", b"a", b" "]
    + [b"content-length:", b"5", b"-1", b"99999999999", "é".encode(), b"\xff", b"\n\n"]
)


@given(st.lists(LIKELY, max_size=30), st.sampled_from(VERSIONS))
def test_nothing_that_looks_like_a_frame_raises_and_cuts_change_nothing(tokens, version):
    data = b"".join(tokens)
    whole = read(data, version=version)
    assert read(*(bytes([byte]) for byte in data), version=version) == whole
    assert not any(isinstance(frame, Bad) for frame in whole[:-1])


@pytest.mark.parametrize(
    "data, why",
    [
        (b"SEND\nno colon\n\n\0", "colon"),
        (b"SEND\n:no name\n\n\0", "name"),
        (b"SEND\na:b\0", "empty line"),
        (b"SEND\na:\\x\n\n\0", "escape"),
        (b"SEND\na:b\\\n\n\0", "escape"),
        (b"SEND\na:\xff\n\n\0", "UTF-8"),
        (b"SEND\ncontent-length:-1\n\n\0", "number"),
        (b"SEND\ncontent-length:1_0\n\n\0", "number"),
        ("SEND\ncontent-length:٣\n\nabc\0".encode(), "number"),
        (b"SEND\ncontent-length:2\n\nabc\0", "length"),
        (b"SEND\ncontent-length:70000\n\n", "too large"),
        (b"SEND\n\n" + b"x" * FRAME_MAX, "too large"),
        (b"SEND\na:" + b"x" * HEAD_MAX, "headers"),
        (b"SEND\n" + b"a:b\n" * (HEADERS_MAX + 1) + b"\n\0", "headers"),
    ],
)
def test_what_is_no_frame_says_why_and_ends_the_stream(data, why):
    (bad,) = read(data, b"\0\n\nSEND\n\n\0")
    assert isinstance(bad, Bad) and why in bad.why


def test_the_body_may_hold_nul_when_its_length_is_given():
    (frame,) = read(b"SEND\ncontent-length:5\n\na\0b\0c\0")
    assert frame.body == b"a\0b\0c"


def test_the_length_counts_bytes():
    assert "content-length:6\n" in encode("MESSAGE", {}, "안녕")
    (frame,) = read("SEND\ncontent-length:6\n\n안녕\0".encode())
    assert frame.body.decode() == "안녕"


def test_the_first_of_repeated_headers_counts():
    assert read(b"SEND\na:1\na:2\n\n\0")[0].headers == {"a": "1"}


def test_carriage_returns_of_1_2_are_line_ends():
    assert read(b"\r\nSEND\r\na:1\r\n\r\nx\0") == [Frame("SEND", {"a": "1"}, b"x")]


def test_escapes_are_those_of_the_version():
    head = rb"SEND" + b"\n" + rb"a:\c\n\\" + b"\n\n\0"
    assert read(head, version="1.2")[0].headers == {"a": ":\n\\"}
    assert read(head, version="1.1")[0].headers == {"a": ":\n\\"}
    assert read(head, version="1.0")[0].headers == {"a": r"\c\n\\"}
    assert isinstance(read(b"SEND\na:\\r\n\n\0", version="1.1")[0], Bad)
    assert read(b"SEND\na:\\r\n\n\0", version="1.2")[0].headers == {"a": "\r"}


def test_connect_has_no_escapes_and_may_have_blanks():
    head = b"CONNECT\naccept-version: 1.1,1.0 \npasscode:a\\cb\n\n\0"
    assert read(head)[0].headers == {"accept-version": "1.1,1.0", "passcode": r"a\cb"}


def test_blanks_are_part_of_a_value_since_1_1():
    assert read(b"SEND\na: b \n\n\0", version="1.1")[0].headers == {"a": " b "}
    assert read(b"SEND\na: b \n\n\0", version="1.0")[0].headers == {"a": "b"}


@given(st.text(max_size=20), st.sampled_from(VERSIONS))
def test_no_text_in_a_header_of_ours_can_end_it_early(text, version):
    frame = encode("ERROR", {"message": text}, version=version)
    assert frame.count("\0") == 1 and frame.count("\n") == 3 and "\r" not in frame


def test_half_a_surrogate_pair_is_not_sent():
    assert encode("MESSAGE", {}, "a\ud83d").endswith("\n\na?\0")
