"""What a visit asks of PostgreSQL: a query that creeps in fails here."""

import pytest
from axes.models import AccessAttempt, AccessLog
from django.contrib.sessions.models import Session

from accounts import devices
from accounts.models import Device
from messaging import services

pytestmark = pytest.mark.usefixtures("empty_cache")


def test_a_sign_in_is_six_statements_and_opens_no_session(alice, django_assert_num_queries):
    # failed tries, the person, the line on this sign-in, the last one, the device, those that end
    with django_assert_num_queries(6):
        assert alice.sign_in().status_code == 200
    assert Session.objects.count() == 0 and "sessionid" not in alice.client.cookies
    assert set(AccessLog.objects.values_list("username", "session_hash")) == {(alice.email, "")}


def test_tries_that_failed_count_no_more_after_a_sign_in(alice):
    assert alice.sign_in("wrong").status_code == 401
    assert AccessAttempt.objects.count() == 1
    assert alice.sign_in().status_code == 200
    assert AccessAttempt.objects.count() == 0


def test_a_page_of_ours_is_noted_with_its_session(alice, client):
    client.post(
        "/accounts/sign-in/", {"username": alice.email, "password": "a long and quiet evening"}
    )
    assert AccessLog.objects.order_by("-pk")[0].session_hash


def test_the_devices_over_so_many_end_the_oldest_first(alice, monkeypatch):
    monkeypatch.setattr(devices, "DEVICES_MAX", 2)
    first = Device.objects.get().pk
    for _ in range(2):
        alice.sign_in()
    assert Device.objects.count() == 2 and not Device.objects.filter(pk=first).exists()


def test_a_list_is_one_statement(alice, bob, django_assert_num_queries):
    for number in range(3):
        services.open_room(bob.person, title=f"Room {number}")
    alice.get("open-chats")  # who she is, once
    with django_assert_num_queries(1):
        assert len(alice.get("open-chats").json()) == 3


def test_a_list_names_its_reader_by_their_address_and_others_as_they_are_now(alice, bob):
    services.open_room(bob.person, title="Tea")
    person = bob.person
    assert alice.get("open-chats").json()[0]["openUsername"] == f"bob#{person.pk}"
    assert bob.get("open-chats").json()[0]["openUsername"] == bob.email
    person.display_name = "Robert"
    person.save()
    assert alice.get("open-chats").json()[0]["openUsername"] == f"Robert#{person.pk}"


def test_to_make_a_room_is_two_statements_in_a_transaction(alice, django_assert_num_queries):
    alice.get("open-chats")
    with django_assert_num_queries(4):
        assert alice.post("open-chats/create", {"title": "T", "maxPersonnel": 5}).status_code == 200
