"""The judge sees each fault by its name, and none where there is none."""

import pytest

from faults import judge
from faults.history import History
from faults.judge import Line, Room

ALICE, BOB = 1, 2
LOG = [
    Line(1, "message", ALICE, "a"),
    Line(2, "message", BOB, "b"),
    Line(3, "message", ALICE, "c"),
]
SHOWN = [(1, "a"), (2, "b"), (3, "c")]


def said(*cids, acked=None, refused=(), room=7):
    history = History()
    for cid in cids:
        history.add("alice", "send", "invoke", room=room, cid=cid)
    for cid, seq in (acked or {}).items():
        history.add("alice", "send", "ok", room=room, cid=cid, seq=seq)
    for cid in refused:
        history.add("alice", "send", "fail", room=room, cid=cid, note="room_closed")
    return history


def room(log=LOG, last_seq=None, capacity=5, personnel=2, members=2, seated=2):
    return Room(7, log, capacity, personnel, last_seq or len(log), members, seated)


def verdict(history, shown=SHOWN, of=None, may_refuse=()):
    found = judge.conversation(history, of or room(), {"bob": shown}, may_refuse=may_refuse)
    return {name: count for name, count in found.items() if count}


ALL = {"a": 1, "b": 2, "c": 3}


def test_a_talk_in_which_nothing_went_wrong():
    assert verdict(said("a", "b", "c", acked=ALL)) == {}


@pytest.mark.parametrize(
    "history, shown, log, told",
    [
        pytest.param(
            said("a", "b", "c", "d", acked=ALL | {"d": 4}), SHOWN, LOG, {"lost_durable": 1},
            id="acknowledged, and not stored",
        ),
        pytest.param(
            said("a", "b", "c", acked=ALL | {"c": 9}), SHOWN, LOG, {"lost_durable": 1},
            id="acknowledged as another line",
        ),
        pytest.param(
            said("a", "b", "c", acked=ALL), SHOWN[:2], LOG, {"lost_delivery": 1},
            id="stored, and not shown",
        ),
        pytest.param(
            said("a", "b", acked={"a": 1, "b": 2}), [*SHOWN[:2], (3, "a")],
            [*LOG[:2], Line(3, "message", ALICE, "a")],
            {"lost_durable": 1, "dup_stored": 1, "dup_shown": 1},
            id="stored twice",
        ),
        pytest.param(
            said("a", "b", "c", acked=ALL), [*SHOWN, (3, "c")], LOG,
            {"dup_shown": 2, "order_err": 1},
            id="shown twice",
        ),
        pytest.param(
            said("a", "b", "c", acked=ALL), [SHOWN[0], SHOWN[2], SHOWN[1]], LOG, {"order_err": 1},
            id="shown out of order",
        ),
        pytest.param(
            said("a", "b", "c", acked=ALL), [*SHOWN, (4, "x")], LOG, {"phantom": 2},
            id="shown, and never said",
        ),
        pytest.param(
            said("a", "b", "c", "d", acked=ALL), SHOWN, LOG, {"unconverged": 1},
            id="never answered",
        ),
        pytest.param(
            said("a", "b", "c", acked={"a": 1, "b": 2}, refused=["c"]), SHOWN, LOG,
            {"dup_stored": 1, "unconverged": 1},
            id="refused, and stored all the same",
        ),
        pytest.param(
            said("a", "b", acked={"a": 1, "b": 2}), SHOWN[:2], LOG[:2], {"gaps": 1},
            id="a number is missing",
        ),
    ],
)  # fmt: skip
def test_what_went_wrong_is_told_by_name(history, shown, log, told):
    of = room(log, last_seq=3 if "gaps" in told else len(log))
    assert verdict(history, shown, of) == told


def test_what_was_refused_for_good_need_not_converge():
    history = said("a", "b", "c", "d", acked=ALL, refused=["d"])
    assert verdict(history, may_refuse=["room_closed"]) == {}
    assert verdict(history) == {"unconverged": 1}


def test_a_line_of_another_room_is_a_phantom():
    history = said("a", "b", "c", acked=ALL)
    history.add("bob", "show", "ok", room=7, seq=3, note="of room 8")
    assert verdict(history) == {"phantom": 1}


def enters(*kinds):
    return [Line(seq, kind, ALICE, "") for seq, kind in enumerate(kinds, 1)]


@pytest.mark.parametrize(
    "log, members, personnel, told",
    [
        (enters("enter", "leave", "enter"), 3, 3, {}),
        (enters("enter", "enter", "leave"), 3, 3, {"oversub": 1}),  # for a moment
        (enters("enter"), 3, 2, {"drift": 1}),
        (enters("enter", "enter"), 4, 4, {"oversub": 1}),
        (enters("enter"), 2, 2, {"drift": 1}),  # an entry in the log without a seat
    ],
)
def test_seats_are_counted_by_the_log_and_by_the_rows(log, members, personnel, told):
    found = judge.seats(room(log, capacity=3, personnel=personnel, members=members))
    assert {name: count for name, count in found.items() if count} == told


def test_presence_is_held_against_who_is_there():
    assert judge.presence({1, 2}, {2, 3, 4}) == {"ghosts": 1, "missing": 2}


def test_recovery_is_told_for_each_sender_and_for_the_last_who_catches_up():
    history = said("a")
    history.add("nemesis", "fault", "begin", note="kill -9")
    history.add("alice", "send", "ok", room=7, cid="a", seq=1)
    history.add("nemesis", "fault", "end", note="kill -9")
    for who in ("alice", "bob", "alice"):
        history.add(who, "send", "ok", room=7, cid=who, seq=2)
    history.add("bob", "show", "ok", room=7, cid="a", seq=1)
    recovered, caught_up = judge.recoveries(history, 7)
    ends = next(history.of("fault", "end")).at
    assert recovered == [history.entries[4].at - ends, history.entries[5].at - ends]
    assert caught_up == [history.entries[7].at - ends]


def test_the_time_of_an_answer_counts_from_the_first_try():
    history = History()
    history.add("nemesis", "fault", "begin", note="still")
    for phase in ("invoke", "info", "invoke", "ok"):
        history.add("alice", "send", phase, room=7, cid="a", seq=1)
    history.add("nemesis", "fault", "end", note="still")
    history.add("alice", "send", "invoke", room=7, cid="later")
    history.add("alice", "send", "ok", room=7, cid="later", seq=2)
    assert judge.ack_times(history) == [history.entries[4].at - history.entries[1].at]


def at_the_door(*steps):
    history = History()
    for op, phase in steps:
        history.add("alice", op, phase, room=7)
    return history


@pytest.mark.parametrize(
    "steps, has_seat, told",
    [
        pytest.param([("join", "ok")], True, {}, id="seated, as they were told"),
        pytest.param([("join", "ok")], False, {"lost_durable": 1}, id="told of a seat they lack"),
        pytest.param(
            [("join", "ok"), ("leave", "ok")], True, {"lost_slots": 1}, id="a seat given back"
        ),
        pytest.param(
            [("join", "info"), ("join", "ok"), ("leave", "ok")], True, {},
            id="an answer that never came may come true later",
        ),
        pytest.param([("join", "fail")], True, {}, id="refused, and nothing claimed"),
    ],
)  # fmt: skip
def test_what_people_at_the_door_were_told(steps, has_seat, told):
    found = judge.told(at_the_door(*steps), 7, {"alice": has_seat})
    assert {name: count for name, count in found.items() if count} == told


def test_who_speaks_or_enters_after_the_end_is_an_orphan():
    kinds = ["message", "close", "message", "enter", "leave", "open", "message"]
    log = [Line(seq, kind, ALICE, "") for seq, kind in enumerate(kinds, 1)]
    assert judge.after_the_end(room(log)) == 2


@pytest.mark.parametrize(
    ("seqs", "told"),
    [
        ([8, 9, 10], {}),
        ([], {}),
        ([8, 10], {"lost_delivery": 1}),
        ([9], {"lost_delivery": 1}),
        ([8, 9, 9], {"dup_shown": 1}),
        ([8, 10, 9], {"order_err": 1}),
        ([7, 8], {"phantom": 1}),
    ],
)
def test_a_subscription_from_line_seven_on(seqs, told):
    found = judge.stream([{"seq": seq} for seq in seqs], 7)
    assert {name: count for name, count in found.items() if count} == told


def test_each_try_has_its_time_until_the_answer_and_what_hangs_is_not_begun_anew():
    history = History()
    history.add("alice", "send", "invoke", cid="refused")
    history.add("alice", "send", "info", cid="refused")
    history.add("alice", "send", "invoke", cid="hangs")
    history.add("alice", "send", "invoke", cid="hangs")
    history.add("bob", "send", "invoke", cid="cut off")
    history.add("bob", "closed", "info")
    history.add("alice", "send", "ok", cid="hangs")
    history.add("bob", "send", "invoke", cid="cut off")
    history.add("bob", "send", "ok", cid="cut off")
    at = [entry.at for entry in history.entries]
    assert judge.answer_times(history) == [at[1] - at[0], at[6] - at[2], at[8] - at[7]]


@pytest.mark.parametrize(("share", "found"), [(0.5, 3), (0.95, 4), (1, 4)])
def test_a_percentile_is_one_of_what_was_seen(share, found):
    assert judge.percentile([4, 1, 3, 2], share) == found


def test_of_nothing_there_is_no_percentile_that_could_meet_a_bound():
    with pytest.raises(ValueError, match="nothing was measured"):
        judge.percentile([])
