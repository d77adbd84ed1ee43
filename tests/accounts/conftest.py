"""alice has a password here, and a device to sign in with."""

import threading
from unittest.mock import patch

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.core.cache import caches
from django.db import connection
from django.test import RequestFactory

from accounts import devices
from accounts.models import User
from accounts.sessions import Owners

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


class Reads:
    """Asks by Django's own connection, which knows what this test has not committed."""

    @sync_to_async
    def rows(self, sql, **params):
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
            return cursor.fetchall()


@async_to_sync
async def owners(keys):
    """As sockets ask for them, for tests without an event loop."""
    those = Owners(Reads())
    try:
        with patch("accounts.sessions.database_sync_to_async", sync_to_async):  # closes nothing
            return await those.of(keys)
    finally:
        await those.close()
