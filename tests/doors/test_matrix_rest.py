"""Every route and method of /api/v1/, by everyone in docs/policy.md."""

import json
from uuid import uuid4

import pytest
from django.test import Client, RequestFactory
from drf_spectacular.generators import SchemaGenerator

from accounts import devices
from tests.doors.policy import ROLES, scene, table

DOOR = "REST `/api/v1/`"
PASSWORD = "a long and quiet evening"
PATHS = SchemaGenerator().get_schema(public=True)["paths"]
OPERATIONS = sorted(
    f"{method.upper()} {path.removeprefix('/api/v1/')}"
    for path, operations in PATHS.items()
    for method in operations
)


def test_every_operation_has_a_row():
    assert set(table(DOOR)) == set(OPERATIONS)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_cell_is_as_the_policy_says(transactional_db, operation, role):
    here = scene(role)
    pair = signed_in(here.actor or here.mate)
    method, path = operation.split(" ")
    path = path.format(room_id=here.room.pk, user_id=here.mate.pk, device_id=pair.device_id)
    proof = {} if here.actor is None else {"Authorization": f"Bearer {pair.access}"}
    answer = Client(headers=proof).generic(
        method, f"/api/v1/{path}", body(operation, here, pair), "application/json"
    )
    assert str(answer.status_code) == table(DOOR)[operation][role], answer.content
    if answer.status_code >= 400:
        assert answer.headers["Content-Type"] == "application/problem+json"


def signed_in(user):
    user.set_password(PASSWORD)
    user.save()
    return devices.sign_in(RequestFactory().post("/"), user.email, PASSWORD)


def body(operation, here, pair):
    account = {"email": f"new-{uuid4().hex[:8]}@example.com", "password": PASSWORD}
    bodies = {
        "POST accounts/": account | {"display_name": "New"},
        "POST tokens/": {"email": (here.actor or here.mate).email, "password": PASSWORD},
        "POST tokens/refresh/": {"refresh": pair.refresh},
        "POST tokens/verify/": {"token": pair.access},
        "PATCH me/": {"display_name": "Other"},
        "PUT me/password/": {"current": PASSWORD, "new": "another quiet evening"},
        "POST rooms/": {"title": "Mine"},
        "PATCH rooms/{room_id}/": {"title": "Coffee"},
        "POST rooms/{room_id}/transfer/": {"user": here.mate.pk},
        "POST rooms/{room_id}/events/": {"cid": str(uuid4()), "body": "hello"},
        "PUT rooms/{room_id}/read/": {"seq": 1},
    }
    return json.dumps(bodies[operation]) if operation in bodies else ""
