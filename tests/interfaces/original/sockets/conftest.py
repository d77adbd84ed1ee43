"""What the tests of plain STOMP have: the same cast, signed in by token."""

from tests.interfaces.stomp.conftest import (  # noqa: F401
    alice,
    bob,
    charlie,
    closed_node,
    every_test_gives_back,
    given_back,
    people,
    room,
)
