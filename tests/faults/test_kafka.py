"""The verdict of K1 finds what it should."""

import pytest

from faults.kafka import Relayed, verdict

ROWS = [Relayed(room, seq, f"{room}.{seq}") for room in (1, 2) for seq in (1, 2, 3)]


def found(lines):
    return {name: many for name, many in verdict(ROWS, lines).items() if many}


def test_rooms_may_come_in_any_order_of_each_other():
    assert found(ROWS) == {} and found(ROWS[3:] + ROWS[:3]) == {}


@pytest.mark.parametrize(
    "lines, counts",
    [
        (ROWS[:-1], {"lost_delivery": 1}),
        ([*ROWS, ROWS[0]], {"dup_shown": 1}),
        ([*ROWS, Relayed(1, 4, "1.4")], {"phantom": 1}),
        ([ROWS[1], ROWS[0], *ROWS[2:]], {"order_err": 1}),
        ([*ROWS[:-1], Relayed(2, 3, "another")], {"lost_delivery": 1, "phantom": 1}),
    ],
)
def test_each_fault_is_counted_by_its_name(lines, counts):
    assert found(lines) == counts
