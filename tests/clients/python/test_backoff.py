"""The client of Python waits before it comes back, as our page does."""

import random

import pytest
from chattalk_client.backoff import Backoff, Loss, named


@pytest.mark.parametrize(
    ("attempt", "code", "low", "high"),
    [
        (0, None, 0, 0.5),
        (3, None, 0, 4),
        (20, None, 0, 30),
        (5, 1012, 0.5, 5),
        (0, 4013, 1, 10),
        (0, 4500, 1, 10),
        (0, 403, 1, 10),
    ],
)
def test_a_random_part_of_a_wait_that_doubles(attempt, code, low, high):
    dice = random.Random(1)
    waits = [wait_after(dice, attempt, Loss(code)) for _ in range(500)]
    assert low <= min(waits) < low + 0.1 * high
    assert 0.9 * high < max(waits) <= high


def wait_after(dice, attempts, loss):
    """So many that were in vain."""
    backoff = Backoff(dice)
    for _ in range(attempts):
        backoff.wait(Loss())
    return backoff.wait(loss)


def test_a_connection_that_lasted_makes_the_waits_short_again():
    backoff = Backoff(random.Random(1))
    for _ in range(20):
        backoff.wait(Loss())
    assert backoff.wait(Loss(), lasted=11) <= 0.5


@pytest.mark.parametrize(
    ("reason", "is_told"),
    [('{"retry_after": 2.417}', True), ('{"retry_after": 61}', False), ("", False), ("[1]", False),
     ('{"retry_after": null}', False), ('{"retry_after": -1}', False), ("bye", False)],
)  # fmt: skip
def test_what_the_server_names_counts_if_it_is_a_time(reason, is_told):
    wait = Backoff(random.Random(1)).wait(Loss(1012, reason, named(reason)))
    assert (wait == 2.417) == is_told
