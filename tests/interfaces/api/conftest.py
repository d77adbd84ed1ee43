"""The cast at /api/v1/: alice opened the room, bob is a member, charlie is neither."""

import json

import pytest
from django.db import transaction
from django.test import Client

from messaging import log, services
from rooms.models import Room

BACKEND = "django.contrib.auth.backends.ModelBackend"


class Door:
    """JSON to /api/v1/ as someone who is signed in."""

    def __init__(self, user=None, **headers):
        self.user = user
        self.client = Client(headers=headers)
        if user is not None:
            self.client.force_login(user, backend=BACKEND)

    def __call__(self, method, path, body=None, **headers):
        data = "" if body is None else body if isinstance(body, bytes | str) else json.dumps(body)
        return self.client.generic(
            method, f"/api/v1/{path}", data, content_type="application/json", headers=headers
        )


@pytest.fixture
def room(transactional_db, alice, bob) -> Room:
    room = services.open_room(alice, title="Tea", capacity=10)
    services.join(room.pk, bob)
    return room


@pytest.fixture
def as_alice(room, alice):
    return Door(alice)


@pytest.fixture
def as_bob(room, bob):
    return Door(bob)


@pytest.fixture
def as_charlie(room, charlie):
    return Door(charlie)


@pytest.fixture
def as_nobody(transactional_db):
    return Door()


@pytest.fixture
def say():
    """Lines of the log, without the writer and its pace."""

    def say(room, user, *bodies):
        with transaction.atomic():
            for body in bodies:
                log.append(room.pk, "message", [user.pk], body)

    return say
