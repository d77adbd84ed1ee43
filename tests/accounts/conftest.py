import pytest

from accounts.models import User

PASSWORD = "nine green bottles"


@pytest.fixture
def alice(db):
    return User.objects.create_user("alice@example.com", PASSWORD, display_name="Alice")
