"""`manage.py verify`: silent about what is right, by name about what is not."""

import json
import threading
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from chattalk.maintenance import verify, verify_logs, verify_presence, verify_schema
from chattalk.maintenance.report import FAULTS, Findings
from messaging import services
from messaging.models import Event
from presence import last_seen
from presence.marks import Mark
from rooms.models import Room


def found(**options) -> dict[str, int]:
    findings = verify.everything(StringIO(), **{"grace": 0, "pruned": False} | options)
    assert not findings.unchecked
    return {name: many for name, many in findings.counts.items() if many}


def sql(statement, **params):
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # past the foreign keys
        cursor.execute(statement, params)
        cursor.execute("RESET session_replication_role")


def test_what_is_right_is_called_right(room):
    assert found() == {}
    call_command("verify", "--json", stdout=(out := StringIO()))
    verdict = json.loads(out.getvalue())
    assert verdict["good"] and set(verdict["faults"]) == set(FAULTS)
    assert verdict["looked_at"]["lines"] == 7 and verdict["looked_at"]["members"] == 2


def test_a_fault_is_told_by_name_and_by_the_exit_status(room):
    room.events.filter(seq=4).delete()
    with pytest.raises(SystemExit) as end:
        call_command("verify", "--grace", "0", stdout=(out := StringIO()))
    assert end.value.code == 1
    assert f"room {room.pk}: 1 of 1–7" in out.getvalue() and "NOT all holds" in out.getvalue()


FAULTY = {
    "seq_hole": "DELETE FROM messaging_event WHERE seq IN (3, 5)",
    "beginning_missing": "DELETE FROM messaging_event WHERE seq <= 2",
    "head_wrong": "UPDATE rooms_room SET last_seq = 8",
    "personnel_wrong": "UPDATE rooms_room SET personnel = 1",
    "read_ahead": "UPDATE rooms_membership SET read_seq = 8 WHERE role = 'owner'",
    "role_wrong": "UPDATE rooms_membership SET role = 'owner'",
    "sender_missing": "UPDATE messaging_event SET sender_id = 0 WHERE seq = 7",
    "member_missing": "UPDATE rooms_membership SET user_id = 0 WHERE role <> 'owner'",
    "line_without_room": "INSERT INTO messaging_event (room_id, seq, kind, sender_id, body)"
    " SELECT 0, 1, 'message', sender_id, '' FROM messaging_event WHERE seq = 1",
    "seat_without_room": "INSERT INTO rooms_membership (room_id, user_id, role, read_seq)"
    " SELECT 0, user_id, 'member', 0 FROM rooms_membership WHERE role = 'owner'",
}


@pytest.mark.parametrize("name", FAULTY)
def test_each_fault_of_the_rows_is_found(room, name):
    sql(FAULTY[name])
    assert set(found()) == {name}
    sql("DELETE FROM messaging_event; DELETE FROM rooms_membership")  # of rooms that are not there


def test_an_owner_who_is_not_there_is_found(room):
    sql("UPDATE rooms_room SET owner_id = 0")
    assert found() == {"owner_missing": 1, "role_wrong": 1}


def test_what_was_pruned_is_no_fault(room, settings):
    room.events.filter(seq__lte=3).delete()
    assert found() == {"beginning_missing": 1}
    assert found(pruned=True) == {}
    settings.MESSAGE_KEEP_DAYS = 7
    assert found() == {}


@pytest.fixture
def without(transactional_db):
    """Something of the schema is away until the test ends; its rows go before it is back."""
    again = []

    def drop(statement, back):
        sql(statement)
        again.append(back)

    yield drop
    Event.objects.all().delete()
    for statement in again:
        sql(statement)


def test_a_message_stored_twice_is_found_and_so_is_the_missing_index(room, without):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_indexdef('message_sent_once'::regclass)")
        (back,) = cursor.fetchone()
    without("DROP INDEX message_sent_once", back)
    sql("""INSERT INTO messaging_event (room_id, seq, kind, sender_id, client_id, body)
           SELECT room_id, 8, kind, sender_id, client_id, body FROM messaging_event WHERE seq = 7;
           UPDATE rooms_room SET last_seq = 8""")
    assert found() == {"sent_twice": 1, "schema_missing": 1}


def test_a_repeated_seq_does_not_hide_a_hole(room, without):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_indexdef('event_seq_once'::regclass)")
        (back,) = cursor.fetchone()
    without("DROP INDEX event_seq_once", back)
    sql("UPDATE messaging_event SET seq = 3 WHERE seq = 4")
    assert found() == {"seq_twice": 1, "seq_hole": 1, "schema_missing": 1}


def test_a_room_that_is_too_full_is_found_and_so_is_a_check_that_is_not_kept(room, without):
    limit = "CHECK (personnel >= 0 AND personnel <= capacity)"
    name = "room_member_count_within_capacity"
    without(
        f"ALTER TABLE rooms_room DROP CONSTRAINT {name}",
        "DELETE FROM rooms_membership; DELETE FROM rooms_room;"
        f"ALTER TABLE rooms_room DROP CONSTRAINT {name};"
        f"ALTER TABLE rooms_room ADD CONSTRAINT {name} {limit}",
    )
    sql("UPDATE rooms_room SET capacity = 1")
    sql(f"ALTER TABLE rooms_room ADD CONSTRAINT {name} {limit} NOT VALID")
    assert found() == {"over_capacity": 1, "schema_invalid": 1}


def test_no_false_alarm_while_people_write_join_and_leave(room, alice, charlie, say, monkeypatch):
    monkeypatch.setattr(verify_logs, "ROOMS_AT_ONCE", 2)
    for n in range(5):
        services.open_room(alice, title=f"{n}", capacity=5)
    over, failed = threading.Event(), []

    def talk():
        try:
            while not over.is_set():
                for one in Room.objects.all():
                    services.join(one.pk, charlie)
                    say(one, alice)
                    services.leave(one.pk, charlie)
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    (writer := threading.Thread(target=talk)).start()
    try:
        while Event.objects.count() < 150 and not failed:
            verify_logs.check(findings := Findings(), lambda steps: None)
            assert not any(findings.counts.values()), findings
    finally:
        over.set()
        writer.join()
    assert not failed


def test_who_is_shown_as_here_with_nobody_to_hold_them_is_found(room, alice, bob):
    waited = []
    last_seen.write([Mark(room.pk, alice.pk, 1, online=True, process="dead")])
    last_seen.write([Mark(room.pk, bob.pk, 1, exit_at=5), Mark(0, alice.pk, 1, exit_at=5)])
    verify_presence.check(findings := Findings(), lambda steps: None, 60, waited.append)
    assert (findings.counts["ghost"], findings.counts["presence_stray"]) == (1, 1)
    assert len(waited) == 2 and waited[0] <= 3 and 50 < waited[1] <= 60


def test_who_was_marked_as_gone_meanwhile_is_no_ghost(room, alice):
    last_seen.write([Mark(room.pk, alice.pk, 1, online=True, process="dead")])

    waited = []

    def heal(seconds):
        waited.append(seconds)
        last_seen.write([Mark(room.pk, alice.pk, 2, exit_at=5)])

    verify_presence.check(findings := Findings(), lambda steps: None, 60, heal)
    assert not any(findings.counts.values()) and len(waited) == 1


def test_every_constraint_of_the_models_is_looked_for():
    names = {str(one) for one in verify_schema._wanted()}
    assert "messaging_event: unique index event_seq_once" in names
    assert "rooms_membership: foreign key user_id" in names
    assert "accounts_user: check sign_outs" in names
    assert "django_session: index expire_date" in names


def test_a_system_whose_mongodb_is_away_is_not_called_good(room, settings, monkeypatch):
    monkeypatch.setattr(last_seen, "WRITE_SECONDS", 0.3)
    last_seen.disconnect()
    settings.MONGODB_URL = "mongodb://127.0.0.1:1/chattalk"
    try:
        findings = verify.everything(StringIO(), grace=0, pruned=False)
    finally:
        last_seen.disconnect()
    assert not findings.good and not any(findings.counts.values())
    assert "Not checked: presence: MongoDB does not answer" in "\n".join(verify.report(findings))
