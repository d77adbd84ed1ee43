"""The documents: late, doubled and disordered writes, and what pages read."""

from datetime import UTC, datetime
from itertools import permutations

import pytest
from pymongo.errors import WriteError

from presence import farewells, last_seen, services, stored
from presence import marks as documents
from presence.last_seen import Attendance
from presence.marks import Mark
from presence.room_state import micros
from presence.write_behind import TRIES_MAX, WriteBehind

ROOM, BOB, CHARLIE = 7, 2, 3


@pytest.fixture
def empty(mongodb):
    last_seen.connect()
    Attendance.objects.delete()


def bob():
    return Attendance.objects.get(id=f"{ROOM}:{BOB}")


def came(version, **more):
    return Mark(ROOM, BOB, version, online=True, process="one", came_at=version, **more)


def went(version, exit_at, seq=0):
    return Mark(ROOM, BOB, version, exit_at=exit_at, seq=seq)


def test_writes_in_any_order_and_twice_end_the_same(empty):
    visits = [came(10), went(11, exit_at=110, seq=5), came(12), went(13, exit_at=130, seq=9)]
    for order in permutations(visits):
        Attendance.objects.delete()
        for mark in (*order, visits[2]):
            last_seen.write([mark])
        assert (bob().online, bob().exit_at, bob().seq, bob().version) == (False, 130, 9, 13)


def test_what_was_updated_is_read_as_true_and_false_whatever_the_server_makes_of_it(empty):
    for version in (10, 11, 12):  # made, then updated
        last_seen.write([came(version)])
        (whole,) = [one for batch in stored.batches(9) for one in batch]
        (state,) = services.states(ROOM, [BOB]).values()
        for read in (bob().online, whole["online"], last_seen.find(ROOM, [BOB])[0].online):
            assert read is True
        assert state.online in (True, None) and isinstance(state.online, bool)
        assert [one.user for one in last_seen.orphans([], 10**18, 9)] == [BOB]
    last_seen.write([went(13, exit_at=130)])
    (whole,) = [one for batch in stored.batches(9) for one in batch]
    assert bob().online is False and whole["online"] is False
    assert last_seen.orphans([], 10**18, 9) == []


def test_an_exit_that_is_written_late_counts_though_they_are_back(empty):
    last_seen.write([came(12)])
    last_seen.write([went(11, exit_at=110, seq=5)])
    assert bob().online and (bob().exit_at, bob().seq) == (110, 5)


def test_an_earlier_exit_moves_nothing_back(empty):
    last_seen.write([went(11, exit_at=110, seq=9)])
    last_seen.write([went(12, exit_at=100, seq=8)])
    assert (bob().exit_at, bob().seq) == (110, 9)


def test_a_refused_write_does_not_hold_up_the_others(empty):
    last_seen.write([came(12)])
    others = [Mark(ROOM, user_id, 5, exit_at=user_id) for user_id in range(100, 110)]
    last_seen.write([*others, came(11), went(10, exit_at=3)])
    assert Attendance.objects(room=ROOM).count() == 11
    assert bob().version == 12


def test_joining_anew_begins_with_an_empty_document(empty):
    last_seen.write([went(11, exit_at=110)])
    last_seen.write([Mark(ROOM, BOB, 12, removed=True), came(13)])
    assert bob().online and bob().exit_at is None


def test_removing_late_does_not_remove_who_is_back(empty):
    last_seen.write([came(13)])
    last_seen.write([Mark(ROOM, BOB, 12, removed=True)])
    assert bob().online


def test_the_time_keeps_its_microseconds(empty):
    at = datetime(2026, 11, 23, 14, 5, 0, 123457, UTC)
    last_seen.write([went(11, exit_at=micros(at), seq=41)])
    assert services.last_exit(ROOM, BOB) == services.Exit(at, 41)


def test_who_never_went_away_has_no_exit(empty):
    last_seen.write([came(11)])
    assert services.last_exit(ROOM, BOB) is None
    assert services.last_exit(ROOM, CHARLIE) is None
    assert services.states(ROOM, [BOB, CHARLIE]) == {BOB: services.State(True, None)}


def test_removing_a_person_forgets_them_in_that_room_only(empty):
    elsewhere = Mark(ROOM + 1, BOB, 11, exit_at=110)
    last_seen.write([went(11, exit_at=110), elsewhere])
    services.remove(ROOM, BOB)
    services.remove(ROOM, BOB)
    assert services.last_exit(ROOM, BOB) is None
    assert services.last_exit(ROOM + 1, BOB)


def test_pages_neither_fail_nor_wait_while_mongodb_is_down(settings):
    last_seen.disconnect()
    settings.MONGODB_URL = "mongodb://127.0.0.1:1/chattalk"
    try:
        for _ in range(50):  # only the first one waits
            assert services.last_exit(ROOM, BOB) is None
            assert services.states(ROOM, [BOB]) == {}
        services.remove(ROOM, BOB)
    finally:
        last_seen.disconnect()


async def test_the_ledger_joins_what_waits_for_each_person():
    ledger = WriteBehind("one", lambda: None)
    for mark in (came(10), went(11, exit_at=110, seq=5), came(12)):
        ledger.note(mark)
    assert list(ledger._marks.values()) == [came(12, exit_at=110, seq=5)]
    ledger.note(Mark(ROOM, BOB, 13, removed=True))
    ledger.note(came(14))
    assert [one.version for one in ledger._marks.values()] == [13, 14]
    ledger.close()


async def test_the_ledger_keeps_no_more_than_it_may(monkeypatch, caplog):
    monkeypatch.setattr("presence.write_behind.KEPT_MAX", 3)
    ledger = WriteBehind("one", lambda: None)
    for user_id in range(5):
        ledger.note(Mark(ROOM, user_id, 1))
    assert len(ledger._marks) == 3 and "dropped" in caplog.text
    ledger.close()


def unstorable(user_id):
    """No number of MongoDB is that long."""
    return Mark(ROOM, user_id, 2**70, exit_at=1)


async def test_what_mongodb_does_not_take_is_given_up_and_holds_up_nobody(empty, caplog):
    ledger = WriteBehind("one", lambda: None)
    for user_id in range(20):
        ledger.note(unstorable(user_id) if user_id in (3, 9) else Mark(ROOM, user_id, 1))
    for beat in range(1, TRIES_MAX + 2):
        ledger.seen(beat)
        await ledger.store()
        assert Attendance.objects(room=ROOM).count() == 18
    assert not ledger._doubtful and not ledger._tries and not ledger.mongodb.is_down
    assert caplog.text.count("A change of presence was given up") == 1
    assert "OverflowError" in caplog.text and f"(room {ROOM}, person 3)" in caplog.text
    ledger.close()


async def test_a_farewell_with_a_change_that_is_not_taken_is_taken_over_all_the_same(empty):
    farewells.leave("dead", [Mark(ROOM, BOB, 1), unstorable(CHARLIE)])
    ledger = WriteBehind("one", lambda: None)
    await ledger.take_over()
    assert farewells.one() is None
    await ledger.store()
    assert bob().version == 1 and list(ledger._doubtful) == [(ROOM, CHARLIE, False)]
    ledger.close()


async def test_while_mongodb_takes_nothing_nothing_is_given_up(empty, monkeypatch):
    """As from a user who may only read: who mends that finds all that was noted."""

    def refuse(*_args):
        raise WriteError("not authorized", 13)

    ledger = WriteBehind("one", lambda: None)
    ledger.note(came(1))
    with monkeypatch.context() as patch:
        patch.setattr(last_seen, "write", refuse)
        for _ in range(TRIES_MAX + 1):
            with pytest.raises(WriteError):
                await ledger.store()
    await ledger.store()
    assert bob().version == 1
    ledger.close()


def test_a_document_that_appears_at_the_same_moment_is_no_failure(empty, monkeypatch):
    """Another process makes it after we looked whether it is there."""
    insert = documents._insert

    def late(kept, marks):
        monkeypatch.setattr(documents, "_insert", insert)
        last_seen.write([came(10)])
        return insert(kept, marks)

    monkeypatch.setattr(documents, "_insert", late)
    last_seen.write([Mark(ROOM, CHARLIE, 5, exit_at=5), went(11, exit_at=110, seq=5)])
    assert (bob().version, bob().exit_at, bob().came_at) == (11, 110, 10)
    assert Attendance.objects.count() == 2
