"""What the tests share: the cast. alice opens rooms, bob is a member, charlie must get nothing."""

from typing import Any

import pytest

from tests.stack import _stack, stack  # noqa: F401  (fixtures)


def person(name: str) -> Any:
    from django.contrib.auth import get_user_model

    return get_user_model().objects.create_user(f"{name}@example.com", display_name=name.title())


@pytest.fixture
def alice(db: None) -> Any:
    return person("alice")


@pytest.fixture
def bob(db: None) -> Any:
    return person("bob")


@pytest.fixture
def charlie(db: None) -> Any:
    return person("charlie")
