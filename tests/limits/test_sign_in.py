"""Who guesses learns neither who has an account, nor by how long an answer takes, and locks out
nobody but themselves."""

import pytest
from django.core.exceptions import ValidationError
from django.test import Client, RequestFactory

from accounts import devices, passwords
from accounts.models import User
from tests.limits.conftest import PASSWORD

SIGN_IN = "/accounts/sign-in/"


def asked(address="192.0.2.9"):
    return RequestFactory().post("/", headers={"User-Agent": "Talk"}, REMOTE_ADDR=address)


@pytest.fixture
def hashes(monkeypatch):
    """How often a password was chewed: nearly all the time that an answer takes."""
    counted, in_turn = [], passwords._in_turn

    def counting(work, *given):
        counted.append(work.__name__)
        return in_turn(work, *given)

    monkeypatch.setattr(passwords, "_in_turn", counting)
    return counted


@pytest.fixture
def others(alice, bob):
    """A person who was switched off, and one without a password."""
    bob.is_active = False
    bob.save()
    User.objects.create_user("carol@example.com", None, display_name="Carol")


@pytest.mark.parametrize("door", ["page", "admin", "rest", "original"])
def test_whoever_is_asked_for_the_same_work_is_done_and_the_same_said(others, hashes, door):
    said, work = set(), set()
    for name in ("alice", "bob", "carol", "nobody"):
        client, email = Client(REMOTE_ADDR="192.0.2.44"), f"{name}@example.com"
        hashes.clear()
        match door:
            case "page" | "admin":
                path = SIGN_IN if door == "page" else "/admin/login/"
                answer = client.post(path, {"username": email, "password": "wrong"})
                said.add((answer.status_code, str(answer.context["form"].non_field_errors())))
            case _:
                path = "/api/v1/tokens/" if door == "rest" else "/api/users/login"
                data = {"email": email, "password": "wrong"}
                answer = client.post(path, data, content_type="application/json")
                said.add((answer.status_code, answer.content))
        work.add(len(hashes))
    assert len(said) == 1
    assert work == {1}


def test_the_right_password_of_who_was_switched_off_is_the_same_answer(others, hashes):
    answers = set()
    for email, password in (("bob@example.com", PASSWORD), ("nobody@example.com", PASSWORD)):
        hashes.clear()
        with pytest.raises(ValidationError) as refused:
            devices.sign_in(asked(), email, password)
        answers.add((refused.value.code, refused.value.messages[0], len(hashes)))
    assert len(answers) == 1


def lock(email, address="192.0.2.9"):
    for _ in range(5):
        with pytest.raises(ValidationError) as refused:
            devices.sign_in(asked(address), email, "wrong")
    return refused.value.code


def test_a_break_says_nothing_of_whether_there_is_an_account(alice, hashes):
    assert lock(alice.email) == lock("nobody@example.com") == "locked_out"
    seen = set()
    for email in (alice.email, "nobody@example.com"):
        hashes.clear()
        with pytest.raises(ValidationError) as refused:
            devices.sign_in(asked(), email, PASSWORD)
        seen.add((refused.value.code, len(hashes)))
    assert seen == {("locked_out", 0)}


def test_a_break_keeps_out_neither_other_addresses_nor_who_is_in_already(alice):
    browser = Client(REMOTE_ADDR="192.0.2.9")
    browser.post(SIGN_IN, {"username": alice.email, "password": PASSWORD})
    phone = devices.sign_in(asked(), alice.email, PASSWORD)
    assert lock(alice.email) == "locked_out"
    with pytest.raises(ValidationError):
        devices.sign_in(asked(), alice.email, PASSWORD)
    assert browser.get("/accounts/profile/").status_code == 200
    assert devices.refresh(asked(), phone.refresh)
    assert devices.sign_in(asked("192.0.2.10"), alice.email, PASSWORD)


def test_another_address_of_the_same_network_is_not_five_more_tries(alice):
    for n in range(5):
        with pytest.raises(ValidationError) as refused:
            devices.sign_in(asked(f"2001:db8:0:1::{n + 1}"), alice.email, "wrong")
    assert refused.value.code == "locked_out"
    assert devices.sign_in(asked("2001:db8:0:2::1"), alice.email, PASSWORD)


def test_an_invented_address_is_not_five_more_tries(alice):
    client = Client(REMOTE_ADDR="192.0.2.9")
    codes = [
        client.post(
            SIGN_IN, {"username": alice.email, "password": "wrong"},
            headers={"X-Forwarded-For": f"203.0.113.{n}", "X-Real-Ip": f"203.0.113.{n}"},
        ).status_code
        for n in range(6)
    ]  # fmt: skip
    assert codes == [200] * 4 + [429] * 2
