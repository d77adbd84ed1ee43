"""The harness's clients wait as our page does."""

import random

import pytest

from faults import backoff


@pytest.mark.parametrize(
    ("attempt", "code", "low", "high"),
    [
        (0, None, 0, 0.5),
        (3, None, 0, 4),
        (20, None, 0, 30),
        (5, 1012, 0.5, 5),
        (0, 4013, 1, 10),
        (0, 4500, 1, 10),
    ],
)
def test_a_random_part_of_a_wait_that_doubles(attempt, code, low, high):
    dice = random.Random(1)
    waits = [backoff.wait(dice, attempt, code) for _ in range(500)]
    assert low <= min(waits) < low + 0.1 * high
    assert 0.9 * high < max(waits) <= high


@pytest.mark.parametrize(
    ("reason", "is_told"),
    [('{"retry_after": 2.417}', True), ('{"retry_after": 61}', False), ("", False), ("[1]", False),
     ('{"retry_after": null}', False), ('{"retry_after": -1}', False), ("bye", False)],
)  # fmt: skip
def test_what_the_server_names_counts_if_it_is_a_time(reason, is_told):
    wait = backoff.wait(random.Random(1), 0, 1012, reason)
    assert (wait == 2.417) == is_told
