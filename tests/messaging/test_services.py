"""Seats and the log together, as every door uses them."""

import ast
from pathlib import Path
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from messaging import log, services
from messaging.services import away, members
from rooms.models import Membership, Room
from tests.messaging.conftest import person


def logged(room):
    return list(room.events.order_by("seq").values_list("seq", "kind", "sender__display_name"))


def code(refusal):
    return refusal.value.code


def test_opening_seats_the_owner_and_begins_the_log(alice):
    room = services.open_room(alice, title="Tea", capacity=2)
    assert (room.personnel, room.owner) == (1, alice)
    assert room.memberships.get().role == Membership.Role.OWNER
    assert logged(room) == [(1, "enter", "Alice")]


def test_all_that_is_wrong_with_a_room_is_told_at_once(alice):
    with pytest.raises(ValidationError) as refusal:
        services.open_room(alice, title="\u3164", description="x" * 501, capacity=0)
    assert set(refusal.value.error_dict) == {"title", "description", "capacity"}


def test_joining_takes_one_seat_and_is_in_the_log_once(room, charlie):
    services.join(room.pk, charlie)
    services.join(room.pk, charlie)
    room.refresh_from_db()
    assert room.personnel == 3
    assert logged(room)[-1] == (3, "enter", "Charlie")


def test_a_full_room_refuses_at_once_without_the_lock(alice, bob, monkeypatch):
    room = services.open_room(alice, title="For one", capacity=1)
    monkeypatch.setattr(members._queue, "queue_up", None)
    with pytest.raises(ValidationError) as refusal:
        services.join(room.pk, bob)
    assert code(refusal) == "room_full"


def test_leaving_gives_the_seat_back_exactly_once(room, bob):
    assert services.leave(room.pk, bob) is True
    assert services.leave(room.pk, bob) is False
    room.refresh_from_db()
    assert room.personnel == 1
    assert logged(room)[-1] == (3, "leave", "Bob")


def test_the_seat_of_who_left_is_free_for_another(alice, bob, charlie):
    room = services.open_room(alice, title="For two", capacity=2)
    services.join(room.pk, bob)
    services.leave(room.pk, bob)
    services.join(room.pk, charlie)
    assert set(room.memberships.values_list("user__display_name", flat=True)) == {
        "Alice",
        "Charlie",
    }


def test_an_owner_who_leaves_keeps_the_room_and_may_come_back(room, alice):
    assert services.leave(room.pk, alice) is True
    services.edit_room(room.pk, alice, title="Mine still")
    services.join(room.pk, alice)
    assert room.memberships.get(user=alice).role == Membership.Role.OWNER


def test_the_room_goes_to_another_member_only(room, alice, bob, charlie):
    with pytest.raises(ValidationError) as refusal:
        services.transfer_room(room.pk, charlie.pk, by=alice)
    assert code(refusal) == "not_member"
    assert services.transfer_room(room.pk, bob.pk, by=alice) is True
    assert services.transfer_room(room.pk, bob.pk, by=bob) is False
    roles = dict(room.memberships.values_list("user__display_name", "role"))
    assert roles == {"Alice": "member", "Bob": "owner"}
    assert logged(room)[-1] == (3, "owner", "Bob")
    with pytest.raises(PermissionDenied):
        services.close_room(room.pk, alice)


def test_a_closed_room_is_opened_again(room, alice, bob, charlie):
    services.close_room(room.pk, alice)
    with pytest.raises(PermissionDenied):
        services.reopen_room(room.pk, bob)
    assert services.reopen_room(room.pk, alice) is True
    assert services.reopen_room(room.pk, alice) is False
    services.join(room.pk, charlie)
    assert [line[1] for line in logged(room)[-3:]] == ["close", "open", "enter"]


def test_staff_with_the_right_may_do_what_the_owner_may_and_it_is_on_the_trail(room, bob, charlie):
    charlie.is_staff = charlie.is_superuser = True
    charlie.save()
    services.remove(room.pk, bob.pk, by=charlie)
    services.edit_room(room.pk, charlie, capacity=7)
    services.close_room(room.pk, charlie)
    said = LogEntry.objects.filter(user=charlie, object_id=str(room.pk)).order_by("pk")
    assert [entry.change_message for entry in said] == [
        f"removed Bob ({bob.pk})", "changed capacity to 7", "closed",
    ]  # fmt: skip


def test_a_thread_says_something_and_waits_for_the_commit(room, bob):
    cid = uuid4()
    first = services.post(room.pk, person(bob), "hello", cid)
    again = services.post(room.pk, person(bob), "hello", cid)
    assert (first.seq, first.repeated) == (3, False)
    assert again == first._replace(repeated=True)


def test_only_the_owner_removes_edits_and_closes(room, alice, bob, charlie):
    for forbidden in (
        lambda: services.remove(room.pk, alice.pk, by=bob),
        lambda: services.close_room(room.pk, charlie),
        lambda: services.edit_room(room.pk, bob, title="x", description="", capacity=5),
    ):
        with pytest.raises(PermissionDenied):
            forbidden()
    assert services.remove(room.pk, bob.pk, by=alice) is True


def test_capacity_never_falls_below_the_members(room, alice):
    with pytest.raises(ValidationError) as refusal:
        services.edit_room(room.pk, alice, title="Tea", description="", capacity=1)
    assert refusal.value.error_dict["capacity"][0].code == "capacity_below_members"
    room.refresh_from_db()
    assert room.capacity == 10


def test_nobody_enters_a_closed_room_and_it_is_closed_once(room, alice, charlie):
    assert services.close_room(room.pk, alice) is True
    assert services.close_room(room.pk, alice) is False
    with pytest.raises(ValidationError) as refusal:
        services.join(room.pk, charlie)
    assert code(refusal) == "room_closed"
    assert [kind for _, kind, _ in logged(room)] == ["enter", "enter", "close"]


def test_a_room_that_is_not_there(alice):
    with pytest.raises(Room.DoesNotExist):
        services.join(12345, alice)


def test_seating_a_crowd_takes_as_many_queries_as_seating_one(alice, transactional_db):
    crowd = User.objects.bulk_create(
        User(email=f"guest{i}@example.com", display_name=f"Guest {i}") for i in range(31)
    )
    room = services.open_room(alice, title="Concert", capacity=100)
    counts = []
    for ids in ([crowd[0].pk], [user.pk for user in crowd[1:]]):
        with CaptureQueriesContext(connection) as captured:
            members._seat(room.pk, ids)
        counts.append(len([q for q in captured if "SAVEPOINT" not in q["sql"]]))
    assert counts[0] == counts[1] <= 7


def test_what_was_missed_is_what_others_said_since_i_left(room, alice, bob):
    def say(user, body):
        return log.append(room.pk, "message", [user.pk], body)[0]

    say(alice, "before")
    Membership.objects.filter(room=room, user=bob).update(read_seq=3)
    left_at = room.events.last().created_at
    say(bob, "my own")
    say(alice, "one")
    log.append(room.pk, "leave", [alice.pk])
    say(alice, "two")
    missed, more = log.missed(room.pk, bob.pk, since=left_at)
    assert [event.body for event in missed] == ["one", "two"] and not more
    assert [event.seq for event in missed] == [5, 7]
    assert log.count_missed(room.pk, bob.pk, since=left_at, limit=9) == (2, 5)
    rest, _ = log.missed(room.pk, bob.pk, since=left_at, after=5)
    assert [event.body for event in rest] == ["two"]
    until, _ = log.missed(room.pk, bob.pk, since=left_at, until=missed[0].at)
    assert [event.body for event in until] == ["one"]


def test_what_was_said_in_the_moment_of_the_line_read_last_is_missed_too(room, alice, bob):
    events = log.append(room.pk, "message", [alice.pk, alice.pk], "both at once")
    assert events[0].at == events[1].at
    Membership.objects.filter(room=room, user=bob).update(read_seq=events[0].seq)
    missed, _ = log.missed(room.pk, bob.pk, since=events[0].at)
    assert [event.seq for event in missed] == [events[1].seq]


def test_who_comes_for_the_first_time_has_missed_nothing(room, alice, charlie):
    log.append(room.pk, "message", [alice.pk], "long ago")
    services.join(room.pk, charlie)
    assert away.missed(room.pk, charlie.pk) == (None, [], False)
    assert log.unread(charlie.pk, [room.pk]) == {room.pk: 0}


def test_an_outsider_has_missed_nothing_either(room, alice, charlie):
    log.append(room.pk, "message", [alice.pk], "secret")
    assert log.missed(room.pk, charlie.pk, since=None) == ([], False)
    assert log.count_missed(room.pk, charlie.pk, since=None, limit=9) == (0, None)
    assert log.unread(charlie.pk, [room.pk]) == {}


def test_unread_counts_what_others_said_up_to_a_bound(room, alice, bob, monkeypatch):
    for _ in range(3):
        log.append(room.pk, "message", [alice.pk, bob.pk], "x")
    assert log.unread(bob.pk, [room.pk]) == {room.pk: 3}
    monkeypatch.setattr(log.positions, "UNREAD_MAX", 2)
    assert log.unread(bob.pk, [room.pk]) == {room.pk: 2}


@pytest.mark.parametrize(("sql", "index"), [
    (log.MISSED, "event_by_room_and_time"),
    (log.SIZED_MISSED, "event_by_room_and_time"),
    (log.COUNT_MISSED, "event_by_room_and_time"),
    (log.AFTER, "event_seq_once"),
    (log.BEFORE, "event_seq_once"),
    (log.SIZED_AFTER, "event_seq_once"),
    (log.SIZED_BEFORE, "event_seq_once"),
])  # fmt: skip
def test_the_queries_use_the_index_they_name(room, alice, bob, sql, index):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO messaging_event (room_id, seq, kind, sender_id, body, created_at)"
            " SELECT %s, 2 + k, 'message', %s, 'x', now() + k * interval '1 s'"
            " FROM generate_series(1, 20000) k",
            [room.pk, alice.pk],
        )
        cursor.execute("ANALYZE messaging_event")
        params = {"room": room.pk, "user": bob.pk, "since": "infinity", "until": "infinity",
                  "after": 19_900, "before": 100, "limit": 50, "bytes": 1_000}  # fmt: skip
        Membership.objects.filter(user=bob).update(read_seq=19_900)
        cursor.execute(f"EXPLAIN {sql}", params)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert index in plan and "Seq Scan on messaging_event" not in plan, plan


def writes_without_telling(path):
    """Whether a module calls `append` of messaging.log, under whichever name it imports it."""
    tree = ast.parse(path.read_text())
    names = {
        each.asname or each.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for each in node.names
        if f"{node.module}.{each.name}" in ("messaging.log", "messaging.log.append")
        or f"{node.module}.{each.name}" == "messaging.log.insert.append"
    }
    called = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return any(ast.unparse(func) in {f"{name}.append" for name in names} | names for func in called)


def test_no_line_is_written_that_nobody_is_told_of():
    root = Path(__file__).parents[2]
    folders = ("accounts", "bench", "chattalk", "faults", "interfaces", "messaging", "rooms")
    modules = [path for folder in folders for path in (root / folder).rglob("*.py")]
    found = {str(path.relative_to(root)) for path in modules if writes_without_telling(path)}
    assert found == {"messaging/live/announce.py", "chattalk/demo.py"}  # which says why
