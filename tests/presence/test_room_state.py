"""What one process knows of a room, and the frames it makes of it."""

from itertools import permutations

import msgspec

from messaging.live import frames
from presence.room_state import VISIBLE, PresenceRoom
from presence.timings import Timings

ALICE, BOB, CHARLIE = 1, 2, 3
PACE = Timings(frame=0.25, crowd=1.0, gap=0.3)


def room(*people, seated=()):
    made = PresenceRoom(7, PACE, lambda user_id: user_id in seated)
    made.replace({one: f"Person {one}" for one in people}, version=10, at=0, now=0.0)
    made.snapshot(False)
    return made


def change(before, version, came=(), went=()):
    named = [[one, f"Person {one}"] for one in came]
    return {"b": before, "v": version, "came": named, "went": [[one, 5] for one in went]}


def test_a_snapshot_is_as_the_wire_says():
    assert room(BOB, ALICE).snapshot(False) == {
        "type": "presence",
        "room": 7,
        "full": True,
        "count": 2,
        "here": [{"id": ALICE, "name": "Person 1"}, {"id": BOB, "name": "Person 2"}],
        "degraded": False,
    }


def test_a_frame_is_as_the_wire_says():
    it = room(ALICE, BOB)
    it.hear(change(10, 11, came=[CHARLIE], went=[BOB]), now=1.0)
    assert it.frame(False, now=1.0) == {
        "type": "presence",
        "room": 7,
        "full": False,
        "count": 2,
        "came": [{"id": CHARLIE, "name": "Person 3"}],
        "went": [{"id": BOB, "at": "1970-01-01T00:00:00.000005Z"}],
        "degraded": False,
    }
    assert it.frame(False, now=2.0) is None


def test_who_comes_and_goes_between_two_frames_is_not_shown():
    it = room(ALICE)
    it.hear(change(10, 11, came=[BOB], went=[ALICE]), now=1.0)
    it.hear(change(11, 12, came=[ALICE], went=[BOB]), now=1.0)
    assert it.frame(False, now=1.0) is None and it.settled(False)


def test_the_people_are_those_of_the_last_frame():
    """Whoever reads them anew with each frame is not left with what no frame took back."""
    it = room(ALICE, BOB)
    it.come(CHARLIE, "Charlie")
    it.go(BOB, at=5)
    assert it.people() == {ALICE, BOB}
    it.come(BOB, "Person 2")
    it.go(CHARLIE, at=6)
    assert it.frame(False, now=1.0) is None and it.people() == {ALICE, BOB}
    it.go(BOB, at=7)
    assert it.frame(False, now=2.0) and it.people() == {ALICE}


def test_frames_are_at_most_four_a_second():
    it = room(ALICE)
    it.come(BOB, "Bob")
    assert it.frame(False, now=1.0)
    it.come(CHARLIE, "Charlie")
    assert it.next_frame_at() == 1.25


def test_any_order_of_what_was_told_ends_the_same():
    told = [
        change(10, 11, came=[BOB]),
        change(11, 12, went=[BOB]),
        change(12, 20, came=[BOB, CHARLIE]),
        change(20, 21, went=[ALICE]),
    ]
    for order in permutations([*told, told[1]]):
        it = room(ALICE)
        for one in order:
            it.hear(one, now=1.0)
        assert it.version == 21 and it.gap_since is None
        assert [one["id"] for one in it.snapshot(False)["here"]] == [BOB, CHARLIE]


def test_a_gap_asks_for_loading_after_a_moment_and_what_waited_follows():
    it = room(ALICE)
    it.hear(change(11, 12, came=[CHARLIE]), now=1.0)
    assert not it.needs_loading(1.1) and it.needs_loading(1.3)

    it.replace({ALICE: "Alice", BOB: "Bob"}, version=11, at=5, now=1.3)

    assert it.version == 12 and not it.needs_loading(9.0)
    assert it.snapshot(False)["count"] == 3


def test_what_comes_while_the_room_is_loaded_is_not_lost():
    it = PresenceRoom(7, PACE, lambda user_id: False)
    it.hear(change(11, 12, came=[BOB]), now=1.0)
    it.hear(change(8, 9, went=[ALICE]), now=1.0)
    it.replace({ALICE: "Alice"}, version=11, at=5, now=1.0)
    assert it.snapshot(False)["count"] == 2


def test_our_own_people_are_not_sent_away_by_others():
    it = room(ALICE, seated=[BOB])
    it.come(BOB, "Bob")
    it.hear(change(10, 11, went=[BOB]), now=1.0)
    it.replace({ALICE: "Alice"}, version=12, at=5, now=1.0)
    assert it.snapshot(False)["count"] == 2


def test_degraded_is_told_once_either_way():
    it = room(ALICE)
    assert it.frame(True, now=1.0)["degraded"] is True
    assert it.frame(True, now=2.0) is None
    assert it.frame(False, now=3.0)["degraded"] is False


def test_a_crowd_is_a_count_and_the_first_by_id():
    it = room(*range(1000, 1000 + VISIBLE))
    it.come(5, "Five")
    full = it.frame(False, now=1.0)
    assert (full["full"], full["count"], len(full["here"])) == (True, VISIBLE + 1, VISIBLE)
    assert full["here"][0] == {"id": 5, "name": "Five"}

    it.come(9999, "Somebody unseen")
    counted = it.frame(False, now=1.3)
    assert counted == {**counted, "full": False, "count": VISIBLE + 2}
    assert not {"came", "went", "here"} & counted.keys()


def test_the_visible_part_of_a_crowd_is_shown_at_most_once_a_second():
    it = room(*range(1000, 1100 + VISIBLE))
    it.come(5, "Five")
    assert it.frame(False, now=1.0)["full"]
    it.come(6, "Six")
    assert not it.frame(False, now=1.3)["full"]
    assert not it.settled(False) and it.next_frame_at() == 2.0
    assert it.frame(False, now=2.0)["here"][1]["id"] == 6
    assert it.settled(False)


def test_when_a_crowd_thins_out_the_list_comes_back_whole():
    it = room(*range(1000, 1001 + VISIBLE))
    it.go(1000, 5)
    thin = it.frame(False, now=1.0)
    assert thin["full"] and len(thin["here"]) == VISIBLE == thin["count"]


def test_before_anybody_has_a_snapshot_there_is_nothing_to_show():
    it = PresenceRoom(7, PACE, lambda user_id: False)
    it.replace({ALICE: "Alice", BOB: "Bob"}, version=1, at=0, now=0.0)
    assert it.frame(False, now=1.0) is None
    assert it.snapshot(False)["count"] == 2
    assert it.frame(False, now=2.0) is None


def test_frames_are_those_of_the_wire_word_for_word():
    it = room(ALICE, BOB)
    it.come(CHARLIE, "ch\u00e4r\ud558")
    shown = [it.snapshot(False), it.frame(True, now=1.0)]
    it.go(BOB, at=5)
    for frame in [*shown, it.frame(True, now=2.0)]:
        wire = msgspec.convert(frame, frames.PresenceFrame)
        assert frames.presence(frame) == msgspec.json.encode(wire)
