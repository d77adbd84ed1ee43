import asyncio
import json
from datetime import UTC, datetime

import pytest

from core.postgresql.reads import Unavailable
from messaging.live import feed as feeds
from messaging.live import ring
from messaging.live.entries import in_rows, line
from messaging.live.feed import Feed
from messaging.live.subscription import EntrySubscription, Subscription
from messaging.log import LastLine
from messaging.log.event import Event, Person

AT = datetime(2026, 11, 30, tzinfo=UTC)


class Heard(list):
    def take(self, lines):
        self.extend(line.seq for line in lines.all)

    __hash__ = object.__hash__


class Log:
    """Stands for the database: the truth that a feed asks."""

    def __init__(self, head):
        self.head, self.reads, self.answers = head, [], True
        self.kept = None

    async def read(self, room_id, after):
        self.reads.append(after)
        if not self.answers:
            raise Unavailable
        return [event(seq) for seq in range(after + 1, self.head + 1)][:3]

    async def read_head(self, room_id):
        return LastLine(self.head, AT)

    async def read_kept(self, room_id, line):
        return self.kept


def event(seq):
    return Event(1, seq, "message", datetime.now(UTC), Person(1, "Alice"), body=str(seq))


def lines(*seqs):
    return [line(event(seq)) for seq in seqs]


@pytest.fixture
async def log():
    return Log(head=5)


@pytest.fixture
async def feed(log):
    feed = Feed(1, log)
    await feed.open()
    feed.listeners.add(heard := Heard())
    feed.heard = heard
    yield feed
    feed.close()


async def settled(feed):
    while feed._timer or feed._filling:
        await asyncio.sleep(0.01)


async def test_lines_are_handed_out_in_order_each_once_however_they_come(feed, log):
    feed.take(lines(7, 6))
    feed.take(lines(6, 8, 7))
    assert feed.heard == [6, 7, 8]
    assert log.reads == []


async def test_what_comes_before_the_end_is_known_waits(log):
    feed = Feed(1, log)
    feed.listeners.add(heard := Heard())
    feed.take(lines(5, 7, 6))
    assert heard == []
    await feed.open()
    assert heard == [6, 7]


async def test_a_hole_is_filled_from_the_log(feed, log):
    log.head = 12
    feed.take(lines(12))
    await settled(feed)
    assert feed.heard == list(range(6, 13))


async def test_a_late_line_within_the_grace_costs_no_query(feed, log):
    feed.take(lines(7))
    feed.take(lines(6))
    await settled(feed)
    assert (feed.heard, log.reads) == ([6, 7], [])


async def test_where_the_loop_is_late_a_late_line_is_waited_for_longer_and_not_for_ever(feed, log):
    log.head, feed.lag.seconds = 8, 0.05
    feed.take(lines(7))
    await asyncio.sleep(0.15)
    assert log.reads == []
    feed.take(lines(6))
    feed.take(lines(8))
    assert (feed.heard, log.reads) == ([6, 7, 8], [])
    log.head, feed.lag.seconds = 10, 1_000.0
    feed.take(lines(10))
    await settled(feed)
    assert feed.heard == [6, 7, 8, 9, 10]


async def test_hearing_of_a_further_head_fetches_the_rest(feed, log):
    log.head = 9
    feed.heard_of(9)
    await settled(feed)
    assert feed.heard == [6, 7, 8, 9]


async def test_a_further_head_that_is_heard_of_before_or_while_the_log_is_read_counts(log):
    feed = Feed(1, log)
    feed.listeners.add(heard := Heard())
    read, read_head = log.read, log.read_head

    async def grown_meanwhile(room_id):
        found = await read_head(room_id)
        log.head = 7
        feed.heard_of(7)
        return found

    async def and_again(room_id, after):
        found = await read(room_id, after)
        log.head = 8
        feed.heard_of(8)
        return found

    log.read, log.read_head = and_again, grown_meanwhile
    await feed.open()
    await settled(feed)
    assert heard == [6, 7, 8]


async def test_a_batch_of_which_the_first_part_was_handed_out_gives_its_rest(feed):
    feed.take(lines(6, 7))
    feed.told(in_rows(lines(7, 8, 9)))
    feed.told(in_rows(lines(12, 13)))
    feed.told(in_rows(lines(12)))
    feed.told(in_rows(lines(10, 11, 12)))
    assert feed.heard == list(range(6, 14))


async def test_without_a_database_nothing_is_skipped_and_later_all_is_there(feed, log):
    log.head, log.answers = 8, False
    feed.take(lines(8))
    await settled(feed)
    assert feed.heard == []
    with pytest.raises(Unavailable):
        await feed.reach(8)
    log.answers = True
    feed.heard_of(8)
    await settled(feed)
    assert feed.heard == [6, 7, 8]


async def test_a_pruned_part_is_passed_over(feed, log):
    log.head = 20
    log.read = _from(18, log)
    feed.heard_of(20)
    await settled(feed)
    assert feed.heard == [18, 19, 20]
    assert feed.replay(15) is None


def _from(first, log):
    async def read(room_id, after):
        return [event(seq) for seq in range(max(after + 1, first), log.head + 1)]

    return read


async def test_the_last_lines_are_kept_ready_for_those_who_come_back(feed, monkeypatch):
    feed.take(lines(*range(6, 6 + ring.RING + 10)))
    head = feed.head
    assert feed.replay(head) == []
    assert [each.seq for each in feed.replay(head - 3)] == [head - 2, head - 1, head]
    assert feed.replay(6) is None  # too long ago: the database has it


async def test_a_crowd_that_comes_back_after_a_restart_costs_one_look(log):
    log.head = 40
    feed = Feed(1, log)
    await feed.open()
    log.head = 41
    feed.take(lines(41))
    found = await asyncio.gather(*(feed.between(38, 41) for _ in range(5)))
    assert [[each.seq for each in lines] for lines in found] == [[39, 40, 41]] * 5
    assert log.reads == [38]
    assert [each.seq for each in await feed.between(37, 39)] == [38, 39]
    assert [each.seq for each in feed.replay(37)] == [38, 39, 40, 41]


async def test_what_is_too_much_to_bring_is_not_read_to_its_end(log):
    log.head = 1_000
    feed = Feed(1, log)
    await feed.open()
    size = lines(500)[0].frame.size
    found = await feed.between(500, 1_000, most=4 * size)
    assert log.reads == [500, 503]
    assert sum(each.frame.size for each in found) > 4 * size  # so it is seen that it is too much
    assert [each.seq for each in await feed.between(996, 1_000, most=4 * size)][-1] == 1_000


async def test_what_is_recalled_drives_out_nothing_newer(log, monkeypatch):
    monkeypatch.setattr(ring, "RING", 4)
    log.head = 40
    feed = Feed(1, log)
    await feed.open()
    log.head = 42
    feed.take(lines(41, 42))
    assert [each.seq for each in await feed.between(38, 42)] == [39, 40, 41, 42]
    assert [each.seq for each in feed.replay(38)] == [39, 40, 41, 42]
    feed.take(lines(43))
    assert feed.replay(38) is None and feed.replay(39)[0].seq == 40


async def test_far_too_many_early_lines_are_left_to_the_database(feed, log, monkeypatch):
    monkeypatch.setattr(feeds, "EARLY_MAX", 10)
    log.head = 40
    feed.take(lines(*range(20, 41)))
    await settled(feed)
    assert feed.heard == list(range(6, 41))


# --- a log that has gone back ---------------------------------------------------------------------


def rewritten(*seqs):
    """Lines that a failover has lost, and others have been written in their place."""
    return [line(event(seq)) for seq in seqs]


async def test_after_a_log_has_gone_back_its_lines_are_handed_out_from_there(feed, log):
    feed.take(lines(6, 7, 8, 9))
    log.head = 8
    feed.go_back(6, LastLine(8, AT))
    await settled(feed)
    assert feed.heard == [6, 7, 8, 9, 7, 8]
    assert feed.replay(5) is None and [each.seq for each in feed.replay(6)] == [7, 8]
    assert feed.lost == range(7, 10)
    feed.go_back(7, LastLine(7, AT))
    assert feed.lost == range(7, 10)


async def test_what_was_lost_and_is_told_late_is_not_handed_out(feed):
    late = lines(9)
    feed.take(lines(6, 7, 8))
    feed.at = late[0].event.at
    feed.go_back(8, LastLine(8, AT))
    feed.told(in_rows([*late, *rewritten(9)]))
    assert feed.heard == [6, 7, 8, 9]
    assert feed.at > late[0].event.at


async def test_another_line_by_a_number_that_was_told_is_doubted_and_the_same_is_not(feed, log):
    doubts = []
    feed.doubt = lambda: doubts.append(1)
    first = lines(6, 7)
    feed.take(first)
    feed.take(first)
    assert doubts == []
    feed.take(rewritten(6))
    assert doubts == [1]


async def test_whether_a_line_is_the_log_s_is_known_of_the_last_ones(feed, log):
    log.kept = 3
    told = lines(6, 7)
    feed.take(told)
    for one in told:
        assert await feed.kept(LastLine(one.seq, one.event.at)) is None
        assert await feed.kept(LastLine(one.seq, AT)) == 3  # the database says so
        assert await feed.kept(LastLine(one.seq)) is None  # nobody can say
    assert await feed.kept(LastLine(99, AT)) == 3
    assert await feed.kept(LastLine(0, AT)) is None
    feed.go_back(6, LastLine(6, AT))
    assert await feed.kept(LastLine(7)) == 6
    assert await feed.kept(LastLine(6)) is None


async def test_who_resumes_while_the_log_goes_back_is_to_ask_again(feed):
    member = Member(feed, 1)

    async def read(after, head, most):
        feed.go_back(4, LastLine(4, AT))
        return []

    with pytest.raises(Unavailable):
        await member.subscription.resume(LastLine(2), read, lambda *_: None)


# --- a batch, and the sockets that get it ---------------------------------------------------------


class Member:
    """A socket's subscription, and what it is sent."""

    def __init__(self, feed, user_id):
        self.packets, self.ends = [], []
        self.subscription = Subscription(feed, user_id, feed.head, self.packets.append, self._ended)

    def _ended(self, subscription, code):
        subscription.stop()
        self.ends.append(code)

    async def subscribe(self):
        await self.subscription.resume(None, None, lambda *_: None)
        return self

    @property
    def seqs(self):
        singles = [one for packet in self.packets for one in packet.singles]
        return [json.loads(one.text)["seq"] for one in singles]


class OtherWire(Member):
    """A subscription of a wire that takes entries, not frames."""

    def __init__(self, feed, user_id):
        super().__init__(feed, user_id)
        self.entries = []
        self.subscription = EntrySubscription(
            feed, user_id, feed.head, self.packets.append, self._ended, self.entries.append
        )

    @property
    def seqs(self):
        return [entry.seq for entry in self.entries]


def leave(seq, user_id, body=""):
    return line(Event(1, seq, "leave", datetime.now(UTC), Person(user_id, "?"), body=body))


async def test_a_batch_is_one_packet_for_all(feed):
    members = [await Member(feed, user_id).subscribe() for user_id in (1, 2)]
    feed.take(lines(6, 7, 8))
    for member in members:
        assert member.seqs == [6, 7, 8]
    assert members[0].packets == members[1].packets and len(members[0].packets) == 1


@pytest.mark.parametrize(("body", "code"), [("", "left"), ("removed", "removed")])
async def test_who_leaves_within_a_batch_sees_up_to_it_and_the_others_see_all(feed, body, code):
    leaver, other = [await Member(feed, user_id).subscribe() for user_id in (1, 2)]
    feed.take([*lines(6, 7), leave(8, 1, body), *lines(9, 10)])
    feed.take(lines(11))
    assert (leaver.seqs, leaver.ends) == ([6, 7, 8], [code])
    assert (other.seqs, other.ends) == ([6, 7, 8, 9, 10, 11], [])


async def test_a_wire_of_another_kind_gets_the_feed_s_own_entries_and_no_frames(feed):
    one, leaver, other = [
        await kind(feed, user_id).subscribe()
        for user_id, kind in enumerate((OtherWire, OtherWire, Member))
    ]
    one.subscription.stop_at(6)
    batch = [*lines(6, 7), leave(8, 1), *lines(9)]
    feed.take(batch)
    assert one.entries == batch[1:] and one.packets == []
    assert (leaver.entries, leaver.ends) == (batch[:3], ["left"])
    assert other.seqs == [6, 7, 8, 9]


async def test_a_wire_of_another_kind_waits_for_what_came_before(feed):
    member = OtherWire(feed, 1)
    feed.listeners.add(member.subscription)
    feed.take(lines(6, 7))
    assert member.seqs == []
    await member.subscribe()
    assert member.seqs == []  # it begins at the head
    feed.take(lines(8))
    assert member.seqs == [8]


async def test_of_a_batch_that_was_seen_in_part_the_rest_is_sent(feed):
    member = await Member(feed, 1).subscribe()
    member.subscription.stop_at(7)
    feed.take(lines(6, 7, 8, 9))
    assert member.seqs == [8, 9]


async def test_a_leave_before_the_seat_was_looked_at_ends_nothing(feed):
    member = await Member(feed, 1).subscribe()
    member.subscription.member_at = 8  # they had come back by then
    feed.take([*lines(6), leave(7, 1), *lines(8, 9)])
    assert (member.seqs, member.ends) == ([6, 7, 8, 9], [])
