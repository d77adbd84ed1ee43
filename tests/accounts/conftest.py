"""alice has a password here, and a device to sign in with."""

import pytest
from django.test import RequestFactory

from accounts import devices
from accounts.models import User

PASSWORD = "nine green bottles"


@pytest.fixture
def alice(db):
    return User.objects.create_user("alice@example.com", PASSWORD, display_name="Alice")


def request(agent="Talk/1.0", address="127.0.0.1"):
    return RequestFactory().post("/", headers={"User-Agent": agent}, REMOTE_ADDR=address)


def sign_in_device(user):
    return devices.sign_in(request(), user.email, PASSWORD)
