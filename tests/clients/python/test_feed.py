"""The order of lines as a room keeps it, whatever comes when; and the waits between attempts."""

import random
from datetime import UTC, datetime
from itertools import islice

import pytest
from chattalk_client import Lost, Message, Page, Person, Pruned
from chattalk_client.backoff import LONGEST_NAMED, WAIT_AFTER, Backoff, Loss, named
from chattalk_client.feed import KEPT_MAX, Feed
from hypothesis import given
from hypothesis import strategies as some

ANN = Person(1, "Ann")


def line(seq):
    at = datetime(2026, 11, 23, tzinfo=UTC)
    return Message(room=7, seq=seq, kind="message", at=at, sender=ANN, body=str(seq), cid=None)


def page(after, head, first=1, limit=100):
    lines = tuple(line(seq) for seq in range(max(after + 1, first), min(after + limit, head) + 1))
    return Page(lines, head, 0, False, after + limit < head)


def drain(feed, head, first=1):
    """All that is to be had, with the log at hand."""
    while True:
        if (event := feed.take()) is not None:
            yield event
        elif feed.has_hole:
            feed.fill(page(feed.last, head, first))
        else:
            return


steps = some.lists(
    some.tuples(some.sampled_from(["live", "lost", "break", "long break", "read"]),
                some.integers(1, 400)),
    max_size=30,
)  # fmt: skip


@given(steps)
def test_every_line_comes_once_in_order_whatever_happens(steps):
    """`lost`: the line broke before these came; `long break`: the site can't resume after them."""
    feed, head, given = Feed(7), 0, []
    feed.subscribed(0, 0, recovered=True)
    for what, count in steps:
        if what == "read":
            given += [event.seq for event in islice(drain(feed, head), count)]
            continue
        asked, before, head = feed.known, head, head + count
        if what == "live":
            missed = range(before + 1, head + 1)
        else:
            feed.subscribed(asked, head, recovered=what != "long break")
            missed = range(asked + 1, head + 1) if what != "long break" else ()
        for seq in missed:
            feed.put(line(seq))
        assert len(feed._live) <= KEPT_MAX
    given += [event.seq for event in drain(feed, head)]
    assert given == list(range(1, head + 1))


def test_what_the_log_has_no_more_is_told():
    feed = Feed(7)
    feed.subscribed(2, 40, recovered=False)
    told = list(drain(feed, 40, first=30))
    assert told[0] == Pruned(room=7, after=2, upto=29)
    assert [event.seq for event in told[1:]] == list(range(30, 41))


def test_where_nothing_is_kept_all_is_told_to_be_gone():
    feed = Feed(7)
    feed.subscribed(2, 40, recovered=False)
    assert list(drain(feed, 40, first=41)) == [Pruned(room=7, after=2, upto=40)]


def test_after_a_backup_was_put_back_the_log_goes_on_from_its_head():
    feed = Feed(7)
    feed.subscribed(40, 40, recovered=True)
    feed.subscribed(40, 30, recovered=False)
    feed.put(line(31))
    lost, *found = drain(feed, 31)
    assert lost == Lost(room=7, after=30, upto=40)
    assert [event.seq for event in found] == [31]


def test_a_log_that_has_gone_back_goes_on_from_what_is_kept_however_long_it_is_by_now():
    feed = Feed(7)
    feed.subscribed(0, 0, recovered=True)
    for seq in range(1, 8):
        feed.put(line(seq))
    assert [event.seq for event in islice(drain(feed, 7), 5)] == [1, 2, 3, 4, 5]
    assert (feed.known, feed.known_at, feed.at) == (7, line(7).at, line(5).at)
    feed.subscribed(7, 9, recovered=False, kept=3, after=3)
    for seq in range(4, 10):
        feed.put(line(seq))
    lost, *found = drain(feed, 9)
    assert lost == Lost(room=7, after=3, upto=5)
    assert [event.seq for event in found] == [4, 5, 6, 7, 8, 9]


def test_where_too_much_came_in_the_place_of_what_was_lost_it_comes_as_pages():
    feed = Feed(7)
    feed.subscribed(5, 5, recovered=True)
    feed.subscribed(5, 900, recovered=False, kept=3, after=900)
    assert feed.known_at is None
    assert next(drain(feed, 900)) == Lost(room=7, after=3, upto=5)
    assert [event.seq for event in drain(feed, 900)] == list(range(4, 901))


def test_a_wait_is_what_the_site_names_else_a_random_part_of_what_doubles():
    backoff = Backoff(random.Random(5))
    waits = [backoff.wait(Loss(1006)) for _ in range(200)]
    for attempt, wait in enumerate(waits):
        assert 0 <= wait <= min(30.0, 0.5 * 2**attempt)
    assert max(waits) > 25 and min(waits[8:]) < 5
    assert backoff.wait(Loss(1012, retry_after=2.417)) == 2.417
    assert backoff.wait(Loss(1006), lasted=11.0) <= 0.5


@pytest.mark.parametrize("code", WAIT_AFTER)
def test_a_crowd_that_is_sent_away_comes_back_spread(code):
    low, high = WAIT_AFTER[code]
    waits = [Backoff().wait(Loss(code)) for _ in range(200)]
    assert low <= min(waits) < max(waits) <= high
    assert max(waits) - min(waits) > (high - low) / 2
    assert Backoff().wait(Loss(code, retry_after=LONGEST_NAMED + 1)) <= high


@pytest.mark.parametrize(
    "reason, seconds",
    [('{"retry_after": 2.417}', 2.417), ("", None), (None, None), ("going away", None),
     ('{"retry_after": null}', None), ("[1]", None), ('{"later": 3}', None)],
)  # fmt: skip
def test_a_reason_names_a_wait_or_does_not(reason, seconds):
    assert named(reason) == seconds
