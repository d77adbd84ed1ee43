"""alice has a password here, and a device to sign in with."""

import threading

import pytest
from django.core.cache import caches
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


@pytest.fixture
def pair(alice):
    """The tokens of alice's device; nobody has asked for any yet."""
    caches["tokens"].clear()
    return sign_in_device(alice)


def waiting_for(done):
    ended = threading.Event()
    for _ in range(1000):
        if done():
            return
        ended.wait(0.01)
    pytest.fail("it did not come about")
