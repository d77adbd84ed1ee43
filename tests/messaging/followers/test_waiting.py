"""Rooms wait in turn; one that fails waits longer and longer, and holds up no other."""

import pytest

from messaging.followers.waiting import AGAIN_MAX_SECONDS, WaitingRooms


@pytest.fixture
def clock():
    class Clock:
        at = 0.0

        def __call__(self):
            return self.at

    return Clock()


@pytest.fixture
def rooms(clock):
    return WaitingRooms(clock)


def test_a_loud_room_goes_behind_those_that_wait(rooms):
    rooms.add([1, 2, 3])
    assert rooms.take(2) == [1, 2]
    rooms.add([1, 1])  # it has more
    assert rooms.take(2) == [3, 1] and rooms.take(2) == []


def test_a_room_that_failed_is_tried_again_later_and_later(rooms, clock):
    waits = []
    for _ in range(9):
        rooms.add([7])
        assert rooms.take(5) == [7]
        rooms.failed(7)
        rooms.add([7])  # a hint does not hurry it
        assert rooms.take(5) == []
        waits.append(rooms.wait())
        clock.at += rooms.wait()
    assert waits[:4] == [1, 2, 4, 8] and waits[-1] == AGAIN_MAX_SECONDS


def test_once_it_went_well_it_begins_anew(rooms, clock):
    assert [rooms.failed(7), rooms.failed(7)] == [1, 2]
    clock.at += 10
    assert rooms.take(1) == [7]
    rooms.went_well([7])
    assert rooms.failed(7) == 1 and rooms.wait() == 1


def test_a_room_that_has_failed_comes_alone(rooms, clock):
    rooms.failed(7)
    rooms.add([1, 2])
    clock.at += 1
    rooms.add([3])
    assert [rooms.take(5), rooms.take(5)] == [[7], [1, 2, 3]]


def test_the_wait_is_for_the_next_one(rooms, clock):
    assert rooms.wait() is None
    rooms.failed(7)
    assert rooms.wait() == 1
    rooms.add([8])
    assert rooms.wait() == 0
