"""What those who come back together have missed."""

import pytest

from messaging.live import feed as feeds
from messaging.log import LastLine
from tests.messaging.test_feed import Member, OtherWire, feed, leave, lines, log  # noqa: F401
from tests.presence.cluster import until


async def resumed(feed, after, kind=Member, member_at=None):  # noqa: F811
    member = kind(feed, 2)
    if member_at is not None:
        member.subscription.member_at = member_at
    await member.subscription.resume(LastLine(after), feed.between, lambda *greeting: None)
    return member


async def test_what_many_have_missed_is_joined_once_for_all_of_them(feed):  # noqa: F811
    feed.take(lines(*range(6, 16)))
    one, two = await resumed(feed, 8), await resumed(feed, 8)
    assert len(one.packets) == 1 and one.packets[0] is two.packets[0]
    assert one.seqs == two.seqs == [*range(9, 16)]
    assert one.subscription.seen == 15
    feed.take(lines(16))
    assert (await resumed(feed, 8)).seqs == [*range(9, 17)]
    assert one.seqs == [*range(9, 17)]
    feed.as_named(1)  # somebody is called otherwise: nothing of before counts
    assert feed.missed(8) is None


async def test_what_was_joined_is_kept_for_a_moment_only(feed, monkeypatch):  # noqa: F811
    monkeypatch.setattr(feeds, "JOINED_SECONDS", 0.05)
    monkeypatch.setattr(feeds, "JOINED_MAX", 2)
    feed.take(lines(*range(6, 16)))
    for after in (7, 8, 9):
        await resumed(feed, after)
    assert [*feed._joined] == [8, 9]
    await until(lambda: not feed._joined)


@pytest.mark.parametrize("kind", [Member, OtherWire])
@pytest.mark.parametrize(("member_at", "seqs"), [(5, [6, 7, 8]), (9, [6, 7, 8, 9])])
async def test_who_has_left_since_the_look_at_the_seat_is_brought_no_more(
    feed,  # noqa: F811
    kind,
    member_at,
    seqs,
):
    feed.take([*lines(6, 7), leave(8, 2), *lines(9)])
    member = await resumed(feed, 5, kind, member_at)
    assert member.seqs == seqs
    assert member.ends == (["left"] if member_at == 5 else [])


async def test_what_is_too_much_to_bring_is_not_brought(feed, monkeypatch):  # noqa: F811
    monkeypatch.setattr("messaging.live.subscription.RESUME_BYTES_MAX", 100)
    feed.take(lines(*range(6, 16)))
    member = await resumed(feed, 8)
    assert (member.seqs, member.subscription.seen) == ([], 15)
