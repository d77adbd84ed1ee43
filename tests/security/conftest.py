"""The cast, at the doors of the others' tests."""

from tests.interfaces.api.conftest import as_alice, as_bob, as_charlie, as_nobody, room, say  # noqa: F401
