"""Sockets that are in step get what is told in one flat loop; it is as if each had been asked."""

import asyncio
import logging
import os
import socket
from contextlib import suppress

import pytest
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from messaging.live import outbox
from messaging.live.close_codes import CloseCode
from messaging.live.crowd import Crowd
from messaging.live.feed import Feed
from messaging.live.outbox import Outbox
from messaging.live.packets import packet
from messaging.live.reading import DirectProtocol
from messaging.live.subscription import Subscription
from messaging.live.transport import WAITING_MAX, Connection
from messaging.log import LastLine
from tests.messaging.test_feed import Log, leave, lines

FILLING = b"so that it takes no more"


class Line(asyncio.Transport):
    """A line whose reader may stop. What is written to it, or to its descriptor, stays whole."""

    def __init__(self, kind=socket.SOCK_SEQPACKET):
        super().__init__()
        self.near, self.far = socket.socketpair(socket.AF_UNIX, kind)
        self.near.setblocking(False)
        self.far.setblocking(False)
        self.read, self.kept, self.is_cut = [], [], False
        self.protocol = DirectProtocol.__new__(DirectProtocol)
        self.protocol.writable, self.protocol.transport = asyncio.Event(), self

    @property
    def writes(self):
        with suppress(BlockingIOError):
            while data := self.far.recv(WAITING_MAX):
                self.read += [data] if data != FILLING else []
        return self.read

    def stall(self):
        with suppress(BlockingIOError):
            while True:
                self.near.send(FILLING)

    def read_all(self):
        self.read = [*self.writes, *self.kept]
        self.kept = []
        self.protocol.resume_writing()

    def get_protocol(self):
        return self.protocol

    def set_write_buffer_limits(self, high):
        assert high == 0, "or it would not be told of the first byte that waits"

    def get_extra_info(self, name):
        return {"socket": self.near}.get(name)

    def write(self, data):
        sent = 0
        with suppress(BlockingIOError):
            sent = 0 if self.kept else self.near.send(data)
        if sent < len(data):
            self.kept.append(data[sent:])
            if len(self.kept) == 1:
                self.protocol.pause_writing()

    @property
    def unread(self):
        return sum(map(len, self.kept))

    def get_write_buffer_size(self):
        return self.unread

    def is_closing(self):
        return self.is_cut

    def abort(self):
        self.is_cut = True

    def says_goodbye(self):
        self.is_cut = True
        self.protocol._tell_the_end()

    def end(self):
        self.near.close()
        self.far.close()


class Member:
    """A socket that listens to the room."""

    def __init__(self, feed, user_id, line=None):
        self.line, self.closes, self.ends = line or Line(), [], []
        self.outbox = Outbox(self._send, Connection(self.line))
        put, ended = self.outbox.send_now, self._ended
        self.subscription = Subscription(feed, user_id, feed.head, put, ended)

    async def _send(self, message):
        self.closes.append(message["code"])

    def _ended(self, subscription, code):
        subscription.stop()
        self.ends.append(code)

    @property
    def wire(self):
        return b"".join(self.line.writes)

    def beat(self):
        self.outbox.check(self.subscription.feed.listeners.given)


@pytest.fixture
async def feed():
    feed = Feed(1, Log(head=5))
    await feed.open()
    yield feed
    feed.close()


@pytest.fixture
async def members(feed):
    members = [Member(feed, user_id) for user_id in range(1, 5)]
    for member in members:
        await member.subscription.resume(None, None, lambda *_: None)
    feed.take(told := lines(6))
    assert all(member.wire == told[0].frame.wire for member in members)
    assert in_step(feed) == 4
    yield members
    for member in members:
        member.line.end()


def in_step(feed):
    return len(feed.listeners._in_step)


def tell(feed, *seqs):
    told = lines(*seqs)
    feed.take(told)
    return b"".join(line.frame.wire for line in told)


async def test_all_get_the_same_bytes_at_once(feed, members):
    wire = tell(feed, 7, 8)
    assert all(member.line.writes[1:] == [wire] for member in members)
    assert all(member.subscription.seen == 8 for member in members)


async def test_what_was_put_before_comes_before(feed, members):
    one, other, *_ = members
    one.outbox.put(ack := packet("ack"))
    wire = tell(feed, 7)
    assert len(one.line.writes) == 1, "it waits for the turn to end"
    assert other.line.writes[1:] == [wire]
    await asyncio.sleep(0)
    assert one.line.writes[1:] == [ack.wire + wire]
    wire = tell(feed, 8)
    assert one.line.writes[2:] == other.line.writes[2:] == [wire], "in step again"


async def test_nothing_comes_after_a_close(feed, members):
    one, other, *_ = members
    one.outbox.close(CloseCode.SIGNED_OUT)
    other.line.says_goodbye()  # for the client did
    tell(feed, 7)
    assert len(one.line.writes) == len(other.line.writes) == 1
    await asyncio.sleep(0)
    assert one.closes == [CloseCode.SIGNED_OUT]
    one.outbox.end()
    assert list(one.outbox._turn.aside.values()) == [one.outbox, other.outbox]
    for member in (one, other):
        member.subscription.stop()
        member.outbox.release()
    assert not one.outbox._turn.aside


async def test_who_does_not_read_is_closed_above_the_bound_and_no_one_else(feed, members):
    one, *others = members
    one.line.stall()
    seq = 7
    while not one.outbox.closed:
        tell(feed, *range(seq, seq := seq + 200))
        assert all(member.line.writes for member in others)
        assert one.line.unread < 1.2 * WAITING_MAX
    assert one.line.unread > WAITING_MAX
    await asyncio.sleep(0)
    assert one.closes == [CloseCode.TOO_SLOW]
    assert not any(member.outbox.closed for member in others)


async def test_who_reads_again_is_in_step_again(feed, members):
    one, other, *_ = members
    one.line.stall()
    tell(feed, 7)
    assert one.line.unread and list(one.outbox._turn.aside.values()) == [one.outbox]
    tell(feed, *range(8, 700))
    one.line.read_all()
    assert not one.outbox._turn.aside
    tell(feed, 700)
    assert one.wire == other.wire


async def test_a_heartbeat_finds_who_took_nothing_of_what_was_written(feed, members):
    one, other, *_ = members
    one.line.stall()
    other.line.stall()
    tell(feed, 7)
    for member in members:
        member.beat()
    tell(feed, 8)
    other.line.kept[0] = other.line.kept[0][10:]  # it has taken a little
    for member in members:
        member.beat()
    assert [member.outbox.closed for member in members] == [True, False, False, False]


async def test_a_line_that_stumbles_costs_the_others_nothing(feed, members, caplog):
    def stumble(data):
        raise RuntimeError("closed underneath")

    members[1].line.stall()
    members[1].line.write = stumble
    with caplog.at_level(logging.ERROR):
        wire = tell(feed, 7)
    assert members[1].outbox.closed
    assert [member.line.writes[1:] == [wire] for member in members] == [True, False, True, True]
    assert "stumbled" in caplog.text


async def test_what_a_line_takes_a_part_of_goes_on_where_that_ended(feed, members):
    one = Member(feed, 5, Line(socket.SOCK_STREAM))
    await one.subscription.resume(None, None, lambda *_: None)
    wire = tell(feed, 7)
    assert in_step(feed) == 5
    wire += tell(feed, *range(8, 2000))  # more than a socket holds
    assert 0 < one.line.unread < len(wire)
    one.line.read_all()
    assert one.wire == wire
    one.line.end()


async def test_a_descriptor_that_may_be_anothers_is_not_written_to(feed, members, monkeypatch):
    monkeypatch.setattr(WebSocketsSansIOProtocol, "connection_lost", lambda self, exc: None)
    one, other, *_ = members
    one.line.abort()
    one.line.protocol.connection_lost(None)
    os.dup2(other.line.near.fileno(), one.line.near.fileno())
    wire = tell(feed, 7)
    assert other.line.writes[1:] == [wire], "once"


async def test_who_has_the_descriptor_of_one_that_still_listens_is_asked_each_time(feed, members):
    one, *_ = members
    other = Member(feed, 5, one.line)
    assert outbox.line_of(other.outbox.send_now) is None
    one.subscription.stop()
    one.outbox.release()
    assert outbox.line_of(other.outbox.send_now) == one.line.near.fileno()


async def test_who_leaves_the_room_gets_the_leave_and_no_more(feed, members):
    one, other, *_ = members
    feed.take([leave(7, 1), *lines(8)])
    tell(feed, 9)
    assert one.ends == ["left"]
    assert one.subscription.seen == 7
    assert len(other.wire) > len(one.wire)
    assert in_step(feed) == 3


async def test_who_stops_knows_what_it_has_seen(feed, members):
    tell(feed, 7)
    members[0].subscription.stop()
    tell(feed, 8)
    assert [member.subscription.seen for member in members[:2]] == [7, 8]
    assert len(feed.listeners) == 3 == len(list(feed.listeners))


async def test_who_was_told_lines_that_are_lost_gets_those_that_came_in_their_place(feed, members):
    one, *others = members
    one.outbox.put(packet("ack"))  # what is told next does not go to its line flat
    tell(feed, 7, 8)
    await asyncio.sleep(0)
    feed.go_back(6, LastLine(6))  # as the hub does it
    assert in_step(feed) == 0
    for member in members:
        member.subscription.forget(6)
    assert [member.subscription.seen for member in members] == [6] * 4
    wire = tell(feed, 7)
    assert all(member.wire.endswith(wire) for member in members)
    assert in_step(feed) == 4
    wire = tell(feed, 8)
    assert [member.line.writes[-1] for member in members] == [wire] * 4
    assert [member.subscription.seen for member in members] == [8] * 4


async def test_who_has_not_seen_that_far_forgets_nothing(feed, members):
    one = members[0]
    one.subscription.stop()
    tell(feed, 7)
    feed.go_back(7, LastLine(7))
    for member in members:
        member.subscription.forget(7)
    assert [member.subscription.seen for member in members] == [6, 7, 7, 7]


async def test_a_listener_of_another_kind_is_asked_each_time():
    class Other:
        def __init__(self):
            self.heard = []

        def take(self, batch):
            self.heard.append(batch)

    crowd = Crowd()
    crowd.add(other := Other())
    assert len(crowd) == 1 and list(crowd) == [other]
    crowd.discard(other)
    assert not crowd
