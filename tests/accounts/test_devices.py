"""Signing in by token, and the rotation of refresh tokens."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from axes.models import AccessAttempt
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import RequestFactory
from django.utils import timezone

from accounts import devices, tokens
from accounts.models import Device, User
from tests.accounts.conftest import PASSWORD, request, sign_in_device


def code(raised):
    return raised.value.code


def test_a_device_is_named_after_what_the_client_says_of_itself(alice):
    pair = devices.sign_in(request(agent="Talk/1.0 (Android)"), "Alice@Example.com ", PASSWORD)
    device = Device.objects.get(pk=pair.device_id)
    assert (device.user, device.label) == (alice, "Talk/1.0 (Android)")
    alice.refresh_from_db()
    assert alice.last_login is not None


@pytest.mark.parametrize("email", ["alice@example.com", "nobody@example.com", "", "x\0y"])
def test_who_is_not_right_is_told_the_same_whoever_it_is(alice, email):
    with pytest.raises(ValidationError) as raised:
        devices.sign_in(request(), email, "wrong")
    assert code(raised) == "invalid_login"
    assert not Device.objects.exists()


def test_who_was_deactivated_can_not_sign_in(alice):
    User.objects.update(is_active=False)
    with pytest.raises(ValidationError) as raised:
        sign_in_device(alice)
    assert code(raised) == "invalid_login"


def test_five_wrong_passwords_are_followed_by_a_break_of_a_known_length(alice):
    codes = []
    for _ in range(5):
        with pytest.raises(ValidationError) as raised:
            devices.sign_in(request(), alice.email, "wrong")
        codes.append(code(raised))
    assert codes == ["invalid_login"] * 4 + ["locked_out"]
    with pytest.raises(ValidationError) as raised:
        devices.sign_in(request(), alice.email, PASSWORD)
    assert 0 < raised.value.params["retry_after"] <= 900
    assert AccessAttempt.objects.exists()
    elsewhere = RequestFactory().post("/", REMOTE_ADDR="192.0.2.7")
    assert devices.sign_in(elsewhere, alice.email, PASSWORD).access


def test_a_refresh_token_is_good_once_and_leads_to_the_next(pair):
    following = devices.refresh(request(), pair.refresh)
    assert following.refresh != pair.refresh
    assert following.device_id == pair.device_id
    assert tokens.verify(following.access).device_id == pair.device_id
    assert devices.refresh(request(), following.refresh).refresh != following.refresh


def test_the_same_client_gets_the_same_successor_for_ten_seconds(pair):
    first = devices.refresh(request(), pair.refresh)
    again = devices.refresh(request(), pair.refresh)
    assert again.refresh == first.refresh
    Device.objects.update(refreshed_at=timezone.now() - timedelta(seconds=11))
    with pytest.raises(tokens.NotValid):
        devices.refresh(request(), pair.refresh)


@pytest.mark.parametrize("other", [{"agent": "else"}, {"address": "192.0.2.9"}])
def test_another_client_with_a_spent_token_ends_the_family(pair, other):
    following = devices.refresh(request(), pair.refresh)
    with pytest.raises(tokens.NotValid):
        devices.refresh(request(**other), pair.refresh)
    for token in (following.refresh, pair.refresh):
        with pytest.raises(tokens.NotValid):
            devices.refresh(request(), token)
    with pytest.raises(tokens.NotValid):
        tokens.verify(following.access)


def test_a_token_of_two_turns_ago_ends_the_family_whoever_shows_it(pair):
    second = devices.refresh(request(), pair.refresh)
    devices.refresh(request(), second.refresh)
    with pytest.raises(tokens.NotValid):
        devices.refresh(request(), pair.refresh)
    assert not Device.objects.exists()


def test_other_devices_of_the_person_go_on(alice, pair):
    other = sign_in_device(alice)
    devices.refresh(request(), pair.refresh)
    with pytest.raises(tokens.NotValid):
        devices.refresh(request(agent="thief"), pair.refresh)
    assert devices.refresh(request(), other.refresh)


def at_once(refresh_token, agents):
    """20 threads show one token at the same time; their answers, None for a refusal."""
    start = Barrier(len(agents))

    def show(agent):
        start.wait(10)
        try:
            return devices.refresh(request(agent=agent), refresh_token).refresh
        except tokens.NotValid:
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(len(agents)) as pool:
        return list(pool.map(show, agents))


def test_of_twenty_clients_with_one_token_at_once_exactly_one_succeeds(transactional_db, pair):
    answers = at_once(pair.refresh, [f"client {number}" for number in range(20)])
    assert len([answer for answer in answers if answer]) == 1
    assert not Device.objects.exists(), "two had it: the family ends"


def test_twenty_tries_of_one_client_at_once_have_one_successor(transactional_db, pair):
    answers = at_once(pair.refresh, ["one client"] * 20)
    assert None not in answers
    assert len(set(answers)) == 1
    assert devices.refresh(request(agent="one client"), answers[0])


@pytest.mark.parametrize("how", ["access token", "expired", "nonsense", "new password", "inactive"])
def test_what_is_no_good_refresh_token_is_refused(alice, pair, how):
    token = {"access token": pair.access, "nonsense": "a.b.c"}.get(how, pair.refresh)
    if how == "expired":
        Device.objects.update(expires_at=timezone.now())
    if how == "new password":
        alice.set_password("quite another")
        alice.save()
    if how == "inactive":
        User.objects.update(is_active=False)
    with pytest.raises(tokens.NotValid):
        devices.refresh(request(), token)


def test_a_person_has_at_most_fifty_devices_and_the_idle_ones_go(alice, pair, monkeypatch):
    monkeypatch.setattr(devices, "DEVICES_MAX", 3)
    others = [sign_in_device(alice) for _ in range(3)]
    kept = set(devices.devices(alice.pk).values_list("pk", flat=True))
    assert kept == {other.device_id for other in others}


def test_a_refresh_is_two_statements(pair, django_assert_num_queries):
    with django_assert_num_queries(4):  # with the transaction's two savepoint words
        devices.refresh(request(), pair.refresh)
