"""The cast: alice opened the room, bob is a member, charlie must get nothing."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from messaging import services


@dataclass
class Answer:
    status: int
    headers: Any
    body: dict

    @property
    def data(self):
        assert "errors" not in self.body, self.body
        assert self.status == 200
        return self.body["data"]

    @property
    def codes(self):
        return [error["extensions"]["code"] for error in self.body["errors"]]

    @property
    def code(self):
        (code,) = self.codes
        return code


class Asker:
    """A person at /graphql/, by session."""

    def __init__(self, user=None, **headers):
        self.client = Client(headers=headers)
        if user is not None:
            self.client.force_login(user, "django.contrib.auth.backends.ModelBackend")

    def __call__(self, query, **variables):
        return self.post(json.dumps({"query": query, "variables": variables}))

    def post(self, body, content_type="application/json", **headers):
        answer = self.client.post("/graphql/", body, content_type, headers=headers)
        return Answer(answer.status_code, answer.headers, answer.json())


@pytest.fixture
def db(transactional_db):
    """Taking a seat is done by a thread of its own, so what a test writes is written."""


@pytest.fixture
def room(alice, bob):
    room = services.open_room(alice, title="Tea", capacity=10)
    services.join(room.pk, bob)
    return room
