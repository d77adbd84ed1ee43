"""Whether the database has gone back, by what each look at the heads says."""

from datetime import UTC, datetime, timedelta

import pytest

from core.postgresql.reads import Unavailable
from messaging import log
from messaging.live.rewinds import LOST, History, Rewind
from messaging.log import LastLine, LogEnd

AT = datetime(2026, 11, 30, tzinfo=UTC)
LATER = AT + timedelta(seconds=9)


class Database:
    """The lines that it has: room → when each was written."""

    def __init__(self, **rooms):
        self.rooms = {int(name[1:]): times for name, times in rooms.items()}
        self.timeline, self.asked, self.answers = "00000001", [], True

    def look(self):
        found = [
            LogEnd(room, len(times), 2, times[-1], LATER, self.timeline)
            for room, times in self.rooms.items()
        ]
        return found or [LogEnd(None, None, None, None, LATER, self.timeline)]

    async def rows(self, statement, *, rooms, seqs, ats):
        assert statement is log.KEPT
        self.asked.append(rooms)
        if not self.answers:
            raise Unavailable
        return [self._row(*one) for one in zip(rooms, seqs, ats, strict=True)]

    def _row(self, room, seq, at):
        times = self.rooms.get(room, [])
        there = times[seq - 1] if 0 < seq <= len(times) else None
        before = sum(1 for one in times[: seq - 1] if at is not None and one <= at)
        return room, len(times), there, before


@pytest.fixture
def database():
    return Database(r1=[AT] * 5, r2=[AT] * 3)


@pytest.fixture
async def history(database):
    history = History(database)
    await history.look({}, database.look())
    return history


HELD = {1: LastLine(5, AT), 2: LastLine(3, AT)}


async def test_a_look_that_finds_nothing_new_asks_nothing_more(history, database):
    assert await history.look(HELD, database.look()) == []
    database.rooms[1].append(LATER)
    assert await history.look(HELD, database.look()) == []
    assert database.asked == []


async def test_a_log_that_ends_too_early_has_gone_back(history, database, caplog):
    del database.rooms[1][2:]
    before = LOST.value
    assert await history.look(HELD, database.look()) == [Rewind(1, 2, 3)]
    assert database.asked == [[1]]
    assert [one.getMessage()[:60] for one in caplog.records] == [
        "the database has gone back: 3 lines of 1 rooms are lost that"
    ]
    assert LOST.value == before + 3


async def test_so_has_one_that_has_another_line_in_the_place_of_the_last(history, database):
    database.rooms[1][3:] = [LATER, LATER]
    assert await history.look(HELD, database.look()) == [Rewind(1, 3, 2)]


async def test_and_one_that_is_longer_by_now_if_the_timeline_is_another(history, database, caplog):
    database.rooms[1][3:] = [LATER] * 4
    assert await history.look(HELD, database.look()) == []  # nothing says that it did
    database.timeline = "00000002"
    assert await history.look(HELD, database.look()) == [Rewind(1, 3, 2)]
    assert await history.look({}, database.look()) == []
    assert len(caplog.records) == 1


async def test_or_if_somebody_doubts(history, database):
    database.rooms[1][3:] = [LATER] * 4
    history.doubt()
    assert await history.look(HELD, database.look()) == [Rewind(1, 3, 2)]
    database.asked.clear()
    await history.look({}, database.look())
    assert database.asked == []


async def test_a_failover_that_lost_nothing_is_told_and_sends_nobody_away(
    history, database, caplog
):
    database.timeline = "00000002"
    assert await history.look(HELD, database.look()) == []
    assert "nothing that was told is lost" in caplog.text


async def test_a_room_that_is_not_there_any_more_has_gone_back_to_nothing(history, database):
    del database.rooms[2]
    assert await history.look(HELD, database.look()) == [Rewind(2, 0, 3)]


async def test_a_standby_that_is_asked_says_nothing_of_it(history, database):
    database.timeline = None
    del database.rooms[1][2:]
    assert await history.look(HELD, database.look()) == []


async def test_what_could_not_be_asked_is_asked_by_the_next_look(history, database):
    database.timeline, database.answers = "00000002", False
    del database.rooms[1][3:]
    database.rooms[1] += [LATER] * 3
    with pytest.raises(Unavailable):
        await history.look(HELD, database.look())
    database.answers = True
    assert await history.look(HELD, database.look()) == [Rewind(1, 3, 2)]


async def test_a_line_that_was_pruned_was_an_old_one():
    assert log.as_kept(LastLine(3, AT), (1, 9, None, 0)) is None
    assert log.as_kept(LastLine(3, AT), (1, 2, None, 1)) == 1
    assert log.as_kept(LastLine(3, None), (1, 9, LATER, 1)) is None
