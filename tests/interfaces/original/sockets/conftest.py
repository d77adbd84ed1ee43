"""The cast: alice opened the room, bob is a member, charlie must get nothing."""

import pytest

from tests.messaging.conftest import (  # noqa: F401
    alice,
    bob,
    charlie,
    closed_node,
    given_back,
    people,
    room,
)


@pytest.fixture(autouse=True)
def every_test_gives_back(given_back):  # noqa: F811
    """All of them sign in by token."""
