"""Which process is the home of a room, as each process finds it without asking."""

import asyncio

import pytest

from messaging.live import home as home_module
from messaging.live.home import BUSY_LINES, CALM_LINES, Homes, home_of

LIVE = ["a", "b", "c", "d"]
ROOMS = range(1, 401)


async def test_rooms_are_shared_out_evenly_whoever_looks_in_whatever_order():
    homes = [home_of(room, LIVE) for room in ROOMS]
    assert homes == [home_of(room, reversed(LIVE)) for room in ROOMS]
    assert all(60 < homes.count(process) < 140 for process in LIVE)


async def test_a_process_that_goes_moves_only_its_own_rooms():
    before = {room: home_of(room, LIVE) for room in ROOMS}
    after = {room: home_of(room, ["a", "b", "c"]) for room in ROOMS}
    assert {room for room in ROOMS if before[room] != after[room]} == {
        room for room in ROOMS if before[room] == "d"
    }


@pytest.fixture
def short_windows(monkeypatch):
    monkeypatch.setattr(home_module, "WINDOW_SECONDS", 0.02)


async def said_in_a_window(homes, room, here, elsewhere):
    """What the first message after a window of such talk is told."""
    await asyncio.sleep(0.05)
    homes.said(room)  # a window begins
    for _ in range(here - 1):
        homes.said(room)
    homes.said_elsewhere(room, elsewhere)
    await asyncio.sleep(0.025)
    return homes.said(room)


def others_room(process="a", live=LIVE):
    return next(room for room in ROOMS if home_of(room, live) != process)


async def test_a_busy_room_that_others_write_too_has_its_home(short_windows):
    homes, room = Homes("a", lambda: LIVE), others_room()
    found = await said_in_a_window(homes, room, BUSY_LINES // 2, BUSY_LINES)
    assert found == home_of(room, LIVE)


async def test_a_quiet_room_and_one_that_only_we_write_stay_here(short_windows):
    homes, room = Homes("a", lambda: LIVE), others_room()
    assert await said_in_a_window(homes, room, 1, 2) is None
    assert await said_in_a_window(homes, room, 3 * BUSY_LINES, 0) is None


async def test_a_room_that_calms_down_keeps_its_home_for_a_little_less(short_windows):
    homes, room = Homes("a", lambda: LIVE), others_room()
    await said_in_a_window(homes, room, BUSY_LINES, BUSY_LINES)
    for here, elsewhere, is_kept in ((2, CALM_LINES, True), (1, 1, False)):
        for _ in range(here):
            homes.said(room)
        homes.said_elsewhere(room, elsewhere)
        await asyncio.sleep(0.025)
        assert (homes.said(room) is not None) is is_kept


async def test_who_is_alone_or_knows_nobody_writes_all(short_windows):
    for living in (["a"], []):
        homes = Homes("a", lambda living=living: living)
        found = [await said_in_a_window(homes, room, 50, 50) for room in range(1, 5)]
        assert found == [None] * 4


async def test_one_that_does_not_answer_is_passed_by_until_it_does(short_windows):
    homes, room = Homes("a", lambda: LIVE), others_room()
    first = await said_in_a_window(homes, room, 50, 50)
    homes.pass_by(first)
    assert homes.said(room) is None
    left = [process for process in LIVE if process != first]
    second = await said_in_a_window(homes, room, 50, 50)
    assert second == (None if home_of(room, left) == "a" else home_of(room, left))
    homes.answers_again(first)
    assert await said_in_a_window(homes, room, 50, 50) == first


async def test_a_process_that_leaves_is_no_home_from_then_on(short_windows):
    homes, room = Homes("a", lambda: LIVE), others_room()
    first = await said_in_a_window(homes, room, 50, 50)
    homes.leaves(first)
    assert homes.said(room) is None
    assert not homes.is_living(first)
    left = [process for process in LIVE if process != first]
    second = await said_in_a_window(homes, room, 50, 50)
    assert second == (None if home_of(room, left) == "a" else home_of(room, left))
