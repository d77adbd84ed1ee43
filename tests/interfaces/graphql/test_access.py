"""Who may come in, by what, and what is said to the others."""

import json
import logging

import pytest
from django.core.cache import caches
from django.db import OperationalError
from django.test import Client
from graphql import build_client_schema, get_introspection_query
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from psycopg_pool import PoolTimeout

from accounts import devices
from accounts.models import User
from interfaces.graphql.views import schema
from rooms.models import Room
from tests.interfaces.graphql.conftest import Asker

ME = "{ me { email } }"
JOIN = "mutation ($id: ID!) { incrementPersonnel(id: $id) { personnel } }"
PASSWORD = "nine green bottles"
PROBLEM = "application/problem+json"


def test_nobody_is_told_to_sign_in(db):
    answer = Asker()(ME)
    assert answer.status == answer.body["status"] == 401
    assert answer.headers["Content-Type"] == PROBLEM
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.body["code"] == "not_authenticated"
    assert set(answer.body) == {"type", "title", "status", "code", "detail"}


def test_a_token_opens_the_door_until_its_device_is_signed_out(db, rf):
    dana = User.objects.create_user("dana@example.com", PASSWORD, display_name="Dana")
    caches["tokens"].clear()
    pair = devices.sign_in(rf.post("/"), dana.email, PASSWORD)
    danas = Asker(authorization=f"Bearer {pair.access}")
    assert danas(ME).data == {"me": {"email": "dana@example.com"}}
    devices.revoke(dana.pk, pair.device_id)
    answer = danas(ME)
    assert (answer.status, answer.body["code"]) == (401, "token_not_valid")


@pytest.mark.parametrize("token", ["Bearer x", "Bearer ", "Bearer a.b.c", "bearer é"])
def test_a_token_that_does_not_count_is_refused_at_once(db, token):
    answer = Asker(authorization=token)(ME)
    assert (answer.status, answer.body["code"]) == (401, "token_not_valid")


@pytest.mark.parametrize("content_type", ["application/json", "text/plain"])
def test_a_foreign_page_can_do_nothing_with_someones_cookie(room, charlie, content_type):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(charlie, "django.contrib.auth.backends.ModelBackend")
    body = json.dumps({"query": JOIN, "variables": {"id": room.pk}})
    answer = browser.post("/graphql/", body, content_type)
    assert answer.status_code in (403, 415)
    assert answer.headers["Content-Type"] == PROBLEM
    assert Room.objects.get(pk=room.pk).personnel == 2


@pytest.mark.parametrize(("enforced", "status"), [(True, 403), (False, 415)])
def test_a_form_is_no_document(room, charlie, enforced, status):
    query = f"mutation {{ incrementPersonnel(id: {room.pk}) {{ id }} }}"
    browser = Client(enforce_csrf_checks=enforced)
    browser.force_login(charlie, "django.contrib.auth.backends.ModelBackend")
    multipart = browser.post("/graphql/", {"query": query})
    plain = browser.post("/graphql/", f"query={query}", "application/x-www-form-urlencoded")
    assert (multipart.status_code, plain.status_code) == (status, status)
    assert Room.objects.get(pk=room.pk).personnel == 2


def test_our_own_page_comes_with_its_csrf_token(room, charlie):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(charlie, "django.contrib.auth.backends.ModelBackend")
    browser.get("/")
    token = browser.cookies["csrftoken"].value
    body = json.dumps({"query": JOIN, "variables": {"id": room.pk}})
    answer = browser.post("/graphql/", body, "application/json", headers={"X-CSRFToken": token})
    assert answer.json() == {"data": {"incrementPersonnel": {"personnel": 3}}}


@pytest.mark.parametrize("method", ["get", "put", "delete", "options", "head"])
def test_only_post_asks(alice, method):
    answer = getattr(Asker(alice).client, method)("/graphql/?query={me{id}}")
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "POST, OPTIONS"


BAD = {
    "nothing": b" ",
    "not JSON": b"query { me { id } }",
    "a list": b'[{"query": "{me{id}}"}]',
    "no query": b'{"variables": {}}',
    "a query that is none": b'{"query": 7}',
    "variables that are none": b'{"query": "{me{id}}", "variables": [1]}',
    "a name twice": b'{"query": "{me{id}}", "query": "{me{id}}"}',
    "deep": b'{"query": "{me{id}}", "variables": {"a": ' + b"[" * 4000 + b"]" * 4000 + b"}}",
    "a huge number": b'{"query": "{me{id}}", "variables": {"a": ' + b"9" * 5000 + b"}}",
    "not a number": b'{"query": "{me{id}}", "variables": {"a": NaN}}',
    "half a pair": b'{"query": "{me{id}}", "variables": {"a": "\\ud800"}}',
    "not UTF-8": b'{"query": "\xff"}',
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_request_is_a_problem_and_named(alice, name):
    answer = Asker(alice).post(BAD[name])
    assert (answer.status, answer.body["code"]) == (400, "parse_error")
    assert answer.headers["Content-Type"] == PROBLEM


WRONG = {
    "empty": "",
    "NUL": "{ me\0 { id } }",
    "no syntax": "{ me { id }",
    "half a pair": '{ getExitTime(chatId: "\\ud800", email: "") }',
    "no such field": "{ you { id } }",
    "no such type": "{ me { ... on Cat { id } } }",
    "no fields": "{ me }",
    "a wrong kind": '{ rooms(first: "many") { edges { cursor } } }',
    "a number too large": "{ rooms(first: " + "9" * 5000 + ") { edges { cursor } } }",
    "an unused fragment": "{ me { id } } fragment F on Me { id }",
    "a subscription": "subscription { me { id } }",
    "a definition": "type Cat { id: ID }",
    "no variable": "query ($a: ID!) { room(number: $a) { title } }",
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_document_is_400_in_graphqls_own_form(alice, name):
    answer = Asker(alice)(WRONG[name])
    assert answer.status == 400
    assert set(answer.codes) <= {"bad_query", "too_complex"}
    assert all(error["message"] for error in answer.body["errors"])
    assert "data" not in answer.body


@pytest.mark.parametrize("number", ["", "x", "-1", "1.5", "9" * 30, "٣", "\0", "1 OR 1=1"])
def test_a_room_number_that_is_none_is_refused(alice, number):
    query = "query ($n: ID!) { room(number: $n) { title } getChatRoomById(id: $n) { id } }"
    assert Asker(alice)(query, n=number).codes == ["bad_id", "bad_id"]


INTROSPECTION = "{ __schema { types { name } } }"


def test_with_debug_the_schema_can_be_asked_for(alice, settings):
    settings.DEBUG = True
    assert Asker(alice)(INTROSPECTION).data["__schema"]["types"]
    as_tools_ask = Asker(alice)(get_introspection_query()).data
    assert build_client_schema(as_tools_ask).type_map.keys() == schema.type_map.keys()


@pytest.mark.parametrize("query", [INTROSPECTION, '{ __type(name: "Room") { name } }'])
def test_without_debug_it_can_not(alice, settings, query):
    settings.DEBUG = False
    answer = Asker(alice)(query)
    assert (answer.status, set(answer.codes)) == (400, {"bad_query"})
    assert Asker(alice)("{ me { __typename } }").data == {"me": {"__typename": "Me"}}


def test_only_with_debug_a_wrong_name_is_answered_with_the_right_one(alice, settings):
    wrong = [
        "{ me { emal } }",
        "{ rooms(frist: 1) { edges { cursor } } }",
        "{ me { ...on Rom { id } } }",
    ]
    settings.DEBUG = True
    assert all("Did you mean" in str(Asker(alice)(query).body) for query in wrong)
    settings.DEBUG = False
    assert not any("Did you mean" in str(Asker(alice)(query).body) for query in wrong)


@pytest.mark.parametrize("debug", [True, False])
def test_what_nobody_foresaw_is_logged_and_not_shown(alice, settings, monkeypatch, caplog, debug):
    def fails(root, info):
        raise RuntimeError("the secret is 42")

    settings.DEBUG = debug
    monkeypatch.setattr(schema.query_type.fields["me"], "resolve", fails)
    with caplog.at_level(logging.ERROR):
        answer = Asker(alice)(ME)
    assert answer.code == "error"
    assert "42" not in str(answer.body)
    assert "the secret is 42" in caplog.text


@pytest.mark.parametrize("error", [OperationalError("no"), PoolTimeout("no")])
def test_while_the_database_is_away_it_says_so(alice, monkeypatch, error):
    def fails(*args, **named):
        raise error

    monkeypatch.setattr("interfaces.graphql.loaders.open_rooms", fails)
    answer = Asker(alice)("{ rooms { edges { cursor } } }")
    assert answer.code == "unavailable"
    assert answer.body["errors"][0]["extensions"]["retry_after"] == 1
    monkeypatch.setattr("rest_framework.request.Request._authenticate", fails)
    answer = Asker(alice)(ME)
    assert (answer.status, answer.body["code"]) == (503, "unavailable")


def test_refusals_are_in_the_readers_language(room, charlie):
    query = "query ($id: ID!) { getChatRoomById(id: $id) { id } }"
    said = {
        language: Asker(charlie, accept_language=language)(query, id=room.pk)
        for language in ("en", "ko")
    }
    texts = {language: answer.body["errors"][0]["message"] for language, answer in said.items()}
    assert texts["en"] == "You are not a member of this room."
    assert texts["ko"] != texts["en"]


def test_nothing_of_an_answer_is_kept_by_a_cache(alice):
    assert "no-store" in Asker(alice)(ME).headers["Cache-Control"]


def test_requests_are_counted_as_those_of_the_rest_api_are(alice, settings):
    settings.API_RATE = 2
    alices = Asker(alice)
    statuses = [alices(ME).status for _time in range(3)]
    assert statuses == [200, 200, 429]
    assert int(alices(ME).headers["Retry-After"]) >= 1


EVERY_ARGUMENT = """query ($id: ID!, $text: String!) {
  node(id: $id) { id }
  room(number: $id) { events(after: $text) { edges { cursor } } }
  rooms(search: $text) { edges { cursor } }
  myRooms(before: $text) { edges { cursor } }
  getChatRoomById(id: $id) { id }
  getChatMessages(chatId: $text, exitTime: $text) { chatId }
}"""


@given(st.text(max_size=200), st.text(max_size=200))
@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_is_given_the_fault_is_never_ours(room, bob, id, text):
    answer = Asker(bob)(EVERY_ARGUMENT, id=id, text=text)
    assert answer.status in (200, 400)
    if "code" not in answer.body:  # a NUL is no JSON that is read here
        assert "error" not in answer.codes
