"""Every route of the original's REST, by everyone in docs/policy.md."""

import json
import re
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.test import Client

from interfaces.original.urls import urlpatterns
from messaging import services
from messaging.log.event import Person
from tests.doors.policy import ROLES, scene, table
from tests.interfaces.original.page import PASSWORD, PHONE, token_of

DOOR = "The original's REST"
METHODS = ("get", "post", "put", "patch", "delete")


def operations():
    for route in urlpatterns:
        path = "/" + re.sub(r"<str:chat_id>", "{chatId}", str(route.pattern))
        view = getattr(route.callback, "view_class", None)
        for method in METHODS if view else ("get",):
            if view is None or hasattr(view, method):
                yield f"{method.upper()} {path}"


OPERATIONS = list(operations())


@pytest.fixture(autouse=True)
def empty_cache():
    cache.clear()


def test_every_route_has_a_row():
    assert set(table(DOOR)) == set(OPERATIONS)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_cell_is_as_the_policy_says(transactional_db, operation, role):
    here = scene(role)
    services.post(here.room.pk, Person(here.mate.pk, here.mate.display_name), "hello")
    assert answered(operation, here) == table(DOOR)[operation][role]


def answered(operation, here):
    client = Client()
    if here.actor is not None:
        here.actor.set_password(PASSWORD)
        here.actor.save()
        client.cookies["Authorization"] = f"Bearer%20{token_of(here.actor)}"
    method, path = operation.split()
    path = path.replace("{chatId}", str(here.room.pk))
    body = json.dumps(bodies(here).get(path)) if method == "POST" else ""
    kind = "application/json" if path in bodies(here) else ""
    answer = client.generic(method, path, body, kind)
    is_empty = answer.status_code == 200 and answer.json() == []
    return f"{answer.status_code} nothing" if is_empty else str(answer.status_code)


def bodies(here):
    me = here.actor.email if here.actor else "nobody@example.com"
    new = {"email": f"{uuid4().hex}@example.com", "password": PASSWORD, "phone": PHONE}
    return {
        "/api/users/signup": new | {"role": "USER"},
        "/api/users/login": {"email": me, "password": PASSWORD},
        "/api/open-chats/create": {"title": "Tea", "maxPersonnel": 5},
    }
