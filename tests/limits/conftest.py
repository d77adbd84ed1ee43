"""alice has a password here."""

import pytest

from accounts.models import User

PASSWORD = "a long and quiet evening"


@pytest.fixture
def alice(transactional_db):
    return User.objects.create_user("alice@example.com", PASSWORD, display_name="Alice")


@pytest.fixture
def bob(transactional_db):
    return User.objects.create_user("bob@example.com", PASSWORD, display_name="Bob")
