"""Whatever comes in is answered with a problem (RFC 9457) of a stable code, never with a 500."""

import select
from uuid import uuid4

import pytest
from django.db import OperationalError, connection
from psycopg_pool import PoolTimeout

from messaging import services
from rooms import services as rooms

CID = "0e4a7c1e-1d4e-4a43-a5a5-0d6f0f0a7b51"


def problem(answer, status, code):
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.content
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status and body["type"] and body["title"] and body["detail"]
    return body


@pytest.mark.parametrize(
    "body",
    [
        "{", "[]", "null", '"text"', "", "[" * 30_000, '{"a":' * 10_000, "[" * 70_000,
        '{"cid": NaN}',
        '{"cid": Infinity}', '{"cid": ' + "9" * 5000 + "}", '{"body": "\\ud800"}',
        '{"\\ud800": 1}', '{"body": "a", "body": "b"}', b'{"body": "\xff"}', b"\x00",
        b"\xef\xbb\xbf{}",
    ],
    ids=range(17),
)  # fmt: skip
def test_what_is_no_json_object_is_a_parse_error(as_bob, room, body):
    answer = as_bob("POST", f"rooms/{room.pk}/events/", body)
    if body == "":  # no body at all: its fields are missing
        assert {one["code"] for one in problem(answer, 400, "invalid")["errors"]} == {"required"}
    elif len(body) > 64 * 1024:
        problem(answer, 413, "too_large")
    else:
        problem(answer, 400, "parse_error")


@pytest.mark.parametrize(
    "fields, status, code",
    [
        ({"cid": CID, "body": "\x00"}, 400, "invalid"),
        ({"cid": CID, "body": "a\x07b"}, 400, "bad_text"),
        ({"cid": CID, "body": " \n"}, 400, "blank"),
        ({"cid": CID, "body": "x" * 4001}, 400, "too_long"),
        ({"cid": "7", "body": "x"}, 400, "invalid"),
        ({"cid": 7.5, "body": "x"}, 400, "invalid"),
        ({"cid": CID, "body": {"$gt": ""}}, 400, "invalid"),
        ({"cid": CID, "body": None}, 400, "invalid"),
        ({"body": "x"}, 400, "invalid"),
    ],
)
def test_a_message_that_is_none_is_refused_and_nothing_is_stored(
    as_bob, room, fields, status, code
):
    problem(as_bob("POST", f"rooms/{room.pk}/events/", fields), status, code)
    assert as_bob("GET", f"rooms/{room.pk}/events/").json()["head"] == 2


def test_a_field_that_is_wrong_is_pointed_at(as_alice):
    errors = problem(as_alice("POST", "rooms/", {"capacity": 0}), 400, "invalid")["errors"]
    assert {(one["pointer"], one["code"]) for one in errors} == {
        ("/title", "required"),
        ("/capacity", "min_value"),
    }


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=101", "after=x", "before=-1", "before=1&after=1", "after=%00",
        "cursor=x", "cursor=%ED%A0%80", "cursor=YWZ0ZXI9eA", "cursor=" + "A" * 5000,
        "after=99999999999999999999",
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["rooms/{}/events/", "rooms/{}/members/", "rooms/"])
def test_a_senseless_page_is_refused(as_bob, room, name, query):
    problem(as_bob("GET", f"{name.format(room.pk)}?{query}"), 400, "bad_request")


@pytest.mark.parametrize("query", ["mine=maybe", "state=x", "q=%00"])
def test_a_senseless_filter_is_pointed_at(as_bob, query):
    errors = problem(as_bob("GET", f"rooms/?{query}"), 400, "invalid")["errors"]
    assert errors[0]["parameter"] == query.split("=")[0]


@pytest.mark.parametrize(
    "since",
    ["yesterday", "2026-11-23", "2026-13-45T00:00:00Z", "%00", "0", "0001-01-01T00:00:00%2B09:00"],
)
def test_a_senseless_time_is_refused(as_bob, room, since):
    problem(as_bob("GET", f"rooms/{room.pk}/missed/?since={since}"), 400, "bad_request")


@pytest.mark.parametrize("path", ["zap/", "rooms/x/", "rooms", "rooms/99999999999999999999/", ""])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_address_is_a_problem_too(as_bob, method, path):
    problem(as_bob(method, path), 404, "not_found")


def test_a_room_that_does_not_exist_is_not_found(as_bob):
    problem(as_bob("GET", "rooms/999999999999999999/"), 404, "not_found")
    problem(as_bob("PUT", "rooms/999999999999999999/membership/"), 404, "not_found")


def test_other_methods_media_and_forms_are_refused(as_bob, room):
    answer = as_bob("PUT", "rooms/")
    problem(answer, 405, "method_not_allowed")
    assert "POST" in answer["Allow"]
    problem(as_bob("GET", "me/", Accept="image/png"), 406, "not_acceptable")
    form = as_bob.client.post("/api/v1/rooms/", {"title": "Tea"})
    problem(form, 415, "unsupported_media_type")


def test_nobody_is_asked_to_sign_in_and_told_how(as_nobody):
    answer = as_nobody("GET", "me/")
    problem(answer, 401, "not_authenticated")
    assert answer["WWW-Authenticate"].startswith("Bearer")
    problem(as_nobody("GET", "me/", Authorization="Bearer x.y.z"), 401, "token_not_valid")


@pytest.mark.parametrize("down", [OperationalError("gone"), PoolTimeout("full")])
def test_a_database_that_does_not_answer_is_unavailable(as_bob, monkeypatch, down):
    def fail(*_ignored):
        raise down

    monkeypatch.setattr("messaging.log.my_unread", fail)
    answer = as_bob("GET", "unread/")
    problem(answer, 503, "unavailable")
    assert int(answer["Retry-After"]) >= 1


def test_a_fault_of_ours_is_a_problem_without_its_insides(as_bob, monkeypatch, caplog):
    def fail(*_ignored):
        raise RuntimeError("a secret of ours")

    monkeypatch.setattr("messaging.log.my_unread", fail)
    answer = as_bob("GET", "unread/")
    problem(answer, 500, "error")
    assert "secret" not in answer.content.decode() and "a secret of ours" in caplog.text


def test_a_refusal_is_read_in_the_readers_language(as_bob, as_charlie, room, bob):
    path = f"rooms/{room.pk}/events/"
    english = as_charlie("GET", path).json()["detail"]
    korean = as_charlie("GET", path, **{"Accept-Language": "ko"})
    assert korean.json()["detail"] != english and korean["Content-Language"] == "ko"
    bob.language = "ko"
    bob.save()
    blank = {"cid": str(uuid4()), "body": ""}
    chosen = as_bob("POST", path, blank, **{"Accept-Language": "en"})
    assert not chosen.json()["detail"].isascii()


def test_a_full_and_a_closed_room_say_so(as_alice, as_charlie, room, alice):
    services.edit_room(room.pk, alice, capacity=2)
    problem(as_charlie("PUT", f"rooms/{room.pk}/membership/"), 409, "room_full")
    as_alice("POST", f"rooms/{room.pk}/close/")
    problem(as_charlie("PUT", f"rooms/{room.pk}/membership/"), 409, "room_closed")
    draft = {"cid": str(uuid4()), "body": "hello"}
    problem(as_alice("POST", f"rooms/{room.pk}/events/", draft), 409, "room_closed")


def test_a_cookie_alone_changes_nothing_from_a_foreign_page(as_bob, room):
    as_bob.client.handler.enforce_csrf_checks = True
    problem(as_bob("DELETE", f"rooms/{room.pk}/membership/"), 403, "permission_denied")
    assert room.memberships.filter(user=as_bob.user).exists()


def test_a_transaction_that_the_server_ended_is_unavailable_and_no_fault_of_ours(
    as_charlie, room, monkeypatch, caplog
):
    """As of a process that stood still for longer than it may (the harness's row C10)."""

    def stood_still(room_id, locked=rooms.locked):
        found = locked(room_id)
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 1")
            ended = connection.connection.pgconn.socket
        assert select.select([ended], [], [], 10)[0]  # it says why, and hangs up
        return found

    with monkeypatch.context() as patch:
        patch.setattr(rooms, "locked", stood_still)
        problem(as_charlie("PUT", f"rooms/{room.pk}/membership/"), 503, "unavailable")
    assert not [one for one in caplog.records if one.exc_info]
    assert as_charlie("PUT", f"rooms/{room.pk}/membership/").status_code == 201
