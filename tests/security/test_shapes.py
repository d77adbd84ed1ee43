"""What fuzzing found at /api/: a body is of the shape that the document says, or refused."""

import pytest
from django.test import Client

from accounts.models import User

CID = "0e4a7c1e-1d4e-4a43-a5a5-0d6f0f0a7b51"


@pytest.mark.parametrize(
    "method, path, body, field",
    [
        ("PATCH", "me/", {"display_name": 0}, "display_name"),
        ("PATCH", "me/", {"phone": 1234567}, "phone"),
        ("POST", "rooms/", {"title": 7}, "title"),
        ("POST", "rooms/", {"title": "Tea", "capacity": "10"}, "capacity"),
        ("POST", "rooms/", {"title": "Tea", "capacity": True}, "capacity"),
        ("POST", "rooms/", {"title": "Tea", "seat_owner": 0}, "seat_owner"),
        ("POST", "rooms/", {"title": "Tea", "seat_owner": "no"}, "seat_owner"),
        ("POST", "rooms/{room}/events/", {"cid": CID, "body": 5}, "body"),
        ("POST", "rooms/{room}/events/", {"cid": 5, "body": "hello"}, "cid"),
        ("PUT", "rooms/{room}/read/", {"seq": "1"}, "seq"),
        ("POST", "tokens/revoke/", {"everywhere": 1}, "everywhere"),
    ],
)
def test_a_value_of_another_kind_is_refused_not_made_fit(
    room,
    as_alice,
    alice,
    method,
    path,
    body,
    field,
):
    answer = as_alice(method, path.format(room=room.pk), body)
    assert answer.status_code == 400
    assert [one["pointer"] for one in answer.json()["errors"]] == [f"/{field}"]
    assert User.objects.get(pk=alice.pk).display_name == "Alice"


def test_a_whole_number_may_be_written_as_json_may_write_it(room, as_alice):
    answer = as_alice("POST", "rooms/", '{"title": "Tea", "capacity": 5.0}')
    assert answer.status_code == 201 and answer.json()["capacity"] == 5


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["nothing/", "rooms/9223372036854775808/membership/"])
def test_an_address_that_is_none_is_a_problem_also_for_what_would_change_it(db, method, path):
    answer = Client(enforce_csrf_checks=True).generic(method, f"/api/v1/{path}")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


def test_an_empty_time_is_none(room, as_bob):
    answer = as_bob("GET", f"rooms/{room.pk}/missed/?since=")
    assert answer.status_code == 400 and answer.json()["code"] == "bad_request"
