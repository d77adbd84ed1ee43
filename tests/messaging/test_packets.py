"""What a WebSocket client reads from the bytes that are written for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as some
from websockets.client import ClientProtocol
from websockets.frames import Opcode
from websockets.protocol import OPEN
from websockets.uri import parse_uri

from messaging.live.packets import packet, together

texts = some.text(some.characters(codec="utf-8"), max_size=200)
packets = some.recursive(
    texts.map(packet), lambda inner: some.lists(inner, min_size=1, max_size=4).map(together)
)


def read(wire: bytes) -> list[str]:
    """As a client does; it would complain of anything that is not right."""
    client = ClientProtocol(parse_uri("ws://localhost/"), state=OPEN, max_size=None)
    client.receive_data(wire)
    assert client.parser_exc is None
    frames = client.events_received()
    assert all(frame.opcode is Opcode.TEXT and frame.fin for frame in frames)
    return [bytes(frame.data).decode() for frame in frames]


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536])
@pytest.mark.parametrize("letter", ["x", "é", "한", "🙂"])
def test_a_client_reads_the_text_whatever_its_size(size, letter):
    text = letter * (size // len(letter.encode()))
    text += "x" * (size - len(text.encode()))
    one = packet(text)
    assert (read(one.wire), one.text, one.size) == ([text], text, len(one.wire))
    assert packet(text.encode()).wire == one.wire


@pytest.mark.parametrize(("size", "head"), [(125, 2), (126, 4), (65_535, 4), (65_536, 10)])
def test_the_head_of_a_frame_is_as_short_as_it_may_be(size, head):
    assert packet("x" * size).size == head + size


def test_one_packet_alone_is_not_wrapped():
    one = packet("alone")
    assert together([one]) is one and one.singles == [one]


def test_packets_that_are_nested_come_apart_in_their_order():
    one, two, three, four = map(packet, ["", "두", "3" * 126, "4" * 70_000])
    nested = together([one, together([two, together([three])]), four])
    assert nested.singles == [one, two, three, four]
    assert read(nested.wire) == [each.text for each in (one, two, three, four)]


@given(packets)
def test_together_or_one_by_one_a_client_reads_the_same(sent):
    singles = [one.text for one in sent.singles]
    assert read(sent.wire) == singles
    assert sent.size == sum(one.size for one in sent.singles)
