"""The cast: alice opened the room, bob is a member, charlie must get nothing."""

from tests.messaging.conftest import (  # noqa: F401  (fixtures)
    alice,
    bob,
    charlie,
    closed_node,
    given_back,
    people,
    room,
)
