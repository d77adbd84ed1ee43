"""Each field of each body is given what nobody should give; the answer is never a 500."""

import json

import pytest
from django.test import RequestFactory
from drf_spectacular.generators import SchemaGenerator

from accounts import devices
from tests.interfaces.api.conftest import Door

PASSWORD = "a long and quiet evening"
DOCUMENT = SchemaGenerator().get_schema(public=True)
HOSTILE = [
    "null", "true", "-1", "0", "1.5", "1e400", "9" * 400, "9223372036854775808", "[]", "{}",
    '{"$gt": ""}', "[[]]", '[{"a": [null]}]', '""', '" "', '"\\u0000"', '"\\u200f"',
    '"\\ud83d\\ude00"',
    '"\u0130"', '"' + "x" * 60_000 + '"', '"' + "\u0301" * 5_000 + '"', '"%s %(a)s {0}"',
    "\"' OR 1=1 --\"",
    '"00000000-0000-0000-0000-000000000000"', '"__proto__"',
]  # fmt: skip


def bodies():
    for path, operations in DOCUMENT["paths"].items():
        for method, operation in operations.items():
            if "requestBody" in operation:
                content = operation["requestBody"]["content"]["application/json"]
                name = content["schema"]["$ref"].split("/")[-1]
                fields = DOCUMENT["components"]["schemas"][name]["properties"]
                yield method.upper(), path.removeprefix("/api/v1/"), list(fields)


@pytest.mark.parametrize("method, path, fields", list(bodies()))
def test_no_value_of_a_field_is_a_fault_of_the_server(room, alice, settings, method, path, fields):
    settings.API_RATE = settings.AXES_FAILURE_LIMIT = 1_000_000
    alice.set_password(PASSWORD)
    alice.save()
    path = path.format(room_id=room.pk)
    good = {
        "cid": "0e4a7c1e-1d4e-4a43-a5a5-0d6f0f0a7b51", "body": "hello", "email": "e@example.com",
        "password": PASSWORD, "display_name": "Erin", "title": "Tea", "current": "x", "new": "y",
    }  # fmt: skip
    for field in fields:
        pair = devices.sign_in(RequestFactory().post("/"), alice.email, PASSWORD)
        door = Door(Authorization=f"Bearer {pair.access}")
        for value in HOSTILE:
            others = {name: good[name] for name in fields if name in good and name != field}
            inner = json.dumps(others)[1:-1]
            answer = door(method, path, f'{{"{field}": {value}{", " * bool(inner)}{inner}}}')
            assert answer.status_code < 500, (field, value[:50], answer.content)
