"""The cast: alice opened the room, bob is a member, charlie must get nothing."""

from tests.conftest import alice, bob, charlie  # noqa: F401  (people, not pages)
from tests.interfaces.graphql.conftest import db, room  # noqa: F401
