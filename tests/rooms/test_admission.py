from concurrent.futures import wait
from contextlib import contextmanager
from threading import Event

import pytest
from django.core.exceptions import ValidationError

from rooms import admission as doors


@pytest.fixture
def taken(monkeypatch):
    """Counts how often a room's lock is taken; no Redis needed for the crowd's own rules."""
    rooms = []

    @contextmanager
    def counting(room_id):
        rooms.append(room_id)
        yield True

    monkeypatch.setattr(doors, "room_lock", counting)
    return rooms


def test_those_who_wait_together_are_seated_together_under_one_lock(taken):
    first_is_in, go, crowds = Event(), Event(), []

    def seat(room_id, users):
        crowds.append(users)
        first_is_in.set()
        go.wait(5)
        return dict.fromkeys(users)

    door = doors.AdmissionQueue(seat)
    waiting = [door.enter(1, 0)]
    assert first_is_in.wait(5)
    waiting += [door.enter(1, user) for user in range(1, 50)]
    go.set()
    wait(waiting, 5)
    assert crowds == [[0], list(range(1, 50))]
    assert taken == [1, 1]


def test_the_same_person_twice_takes_one_seat_and_gets_two_answers(taken):
    go, crowds = Event(), []

    def seat(room_id, users):
        go.wait(5)
        crowds.append(users)
        return dict.fromkeys(users)

    door = doors.AdmissionQueue(seat)
    waiting = [door.enter(1, 9), *(door.enter(1, 7) for _ in range(3))]
    go.set()
    assert [each.result(5) for each in waiting] == [None] * 4
    assert sorted(user for crowd in crowds for user in crowd) in ([7, 9], [7, 7, 9])


def test_each_learns_their_own_verdict(taken):
    full = ValidationError("full", code="room_full")
    door = doors.AdmissionQueue(
        lambda room_id, users: {user: full if user % 2 else None for user in users}
    )
    odd, even = door.enter(1, 1), door.enter(1, 2)
    assert even.result(5) is None
    assert odd.exception(5) is full


def test_an_error_reaches_all_who_wait_and_the_door_opens_again(taken):
    outcomes = iter([RuntimeError("the database went"), None])

    def seat(room_id, users):
        if error := next(outcomes):
            raise error
        return dict.fromkeys(users)

    door = doors.AdmissionQueue(seat)
    assert isinstance(door.enter(1, 1).exception(5), RuntimeError)
    assert door.enter(1, 2).result(5) is None


def test_rooms_do_not_wait_for_each_other(taken):
    go = Event()

    def seat(room_id, users):
        if room_id == 1:
            go.wait(5)
        return dict.fromkeys(users)

    door = doors.AdmissionQueue(seat)
    slow, quick = door.enter(1, 1), door.enter(2, 1)
    assert quick.result(5) is None and not slow.done()
    go.set()
    assert slow.result(5) is None


def test_who_is_let_on_by_one_queue_waits_in_the_next(taken):
    """And nobody is woken in between: what is refused at the first never comes to the second."""
    full, seated = ValidationError("full", code="room_full"), []

    def seat(room_id, users):
        seated.extend(users)
        return dict.fromkeys(users)

    last = doors.AdmissionQueue(seat)
    first = doors.AdmissionQueue(
        lambda room_id, users: {user: full if user % 2 else None for user in users},
        has_lock=False,
        then=last,
    )
    odd, even = first.enter(1, 1), first.enter(1, 2)
    assert even.result(5) is None and odd.exception(5) is full
    assert seated == [2] and taken == [1]


def test_who_has_gone_meanwhile_takes_no_seat(taken):
    go, seated = Event(), []

    def look(room_id, users):
        go.wait(5)
        return dict.fromkeys(users)

    def seat(room_id, users):
        seated.extend(users)
        return dict.fromkeys(users)

    first = doors.AdmissionQueue(look, has_lock=False, then=doors.AdmissionQueue(seat))
    stays, goes = first.enter(1, 1), first.enter(1, 2)
    assert goes.cancel()
    go.set()
    assert stays.result(5) is None and seated == [1]
