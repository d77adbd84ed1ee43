"""Changing a password is guessed at no faster than signing in, and one person's hashes keep nobody
else waiting."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from axes.models import AccessAttempt
from django.core.exceptions import ValidationError
from django.test import Client

from accounts import passwords
from tests.limits.conftest import PASSWORD
from tests.limits.test_pace import post, signed_in
from tests.limits.test_pace import somewhere as somewhere  # (a fixture)

PAGE, REST = "/accounts/password/", "/api/v1/me/password/"
FRESH = "nine green bottles"
SECONDS = 20.0


def by_page(client, current, new=FRESH):
    form = {"old_password": current, "new_password1": new, "new_password2": new}
    return client.post(PAGE, form)


def by_rest(client, current, new=FRESH):
    body = json.dumps({"current": current, "new": new})
    return client.put(REST, body, content_type="application/json")


@pytest.fixture
def alice_here(alice, somewhere):
    somewhere.force_login(alice, "django.contrib.auth.backends.ModelBackend")
    return somewhere


def test_wrong_ones_count_together_at_both_doors_and_are_failed_sign_ins(alice, alice_here):
    answers = [by_page(alice_here, "wrong") for _ in range(2)]
    answers += [by_rest(alice_here, "wrong") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200, 400, 400]
    assert answers[0].context["form"].errors == {"old_password": ["This is not your password."]}
    fifth = by_rest(alice_here, "wrong")
    assert (fifth.status_code, fifth.json()["code"]) == (429, "locked_out")
    page = by_page(alice_here, PASSWORD)
    assert page.status_code == 429, "the right one has to wait as well"
    assert int(page["Retry-After"]) > 60 and int(fifth["Retry-After"]) > 60
    assert "Too many wrong passwords." in page.content.decode()
    right = {"username": alice.email, "password": PASSWORD}
    same = Client(REMOTE_ADDR=alice_here.defaults["REMOTE_ADDR"])
    assert same.post("/accounts/sign-in/", right).status_code == 429
    assert Client(REMOTE_ADDR="192.0.2.77").post("/accounts/sign-in/", right).status_code == 302
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


def test_nothing_that_was_posted_is_kept_with_the_failed_try(alice_here):
    by_page(alice_here, "my other password")
    kept = "".join(AccessAttempt.objects.values_list("post_data", flat=True))
    assert "old_password" in kept
    assert "other" not in kept and "bottles" not in kept


def test_the_page_tells_all_that_is_wrong_with_the_new_one_and_spends_no_guess_on_it(alice_here):
    form = {"old_password": "", "new_password1": "1234", "new_password2": "12345"}
    errors = alice_here.post(PAGE, form).context["form"].errors
    assert {name: len(told) for name, told in errors.items()} == {
        "old_password": 1,
        "new_password1": 3,  # too short, too common, all digits
        "new_password2": 1,  # and not the same
    }
    for _ in range(6):
        assert "old_password" not in by_page(alice_here, "wrong", "1234").context["form"].errors
    assert not AccessAttempt.objects.exists()
    assert by_page(alice_here, PASSWORD).status_code == 302


def test_a_password_that_no_door_lets_in_with_is_set_by_none(alice, alice_here):
    long = "nine green bottles" * 20
    assert list(by_page(alice_here, PASSWORD, long).context["form"].errors) == ["new_password1"]
    assert by_rest(alice_here, PASSWORD, long).status_code == 400
    alice.is_staff = alice.is_superuser = True
    alice.save()
    form = {"password1": long, "password2": long, "usable_password": "true"}
    admin = signed_in(alice).post(f"/admin/accounts/user/{alice.pk}/password/", form)
    assert "256" in str(admin.context["form"].errors)
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


def test_slips_before_the_right_one_are_forgotten(alice, alice_here):
    for _ in range(4):
        by_page(alice_here, "wrong")
    assert by_page(alice_here, PASSWORD).status_code == 302
    for _ in range(4):
        assert by_rest(alice_here, "wrong").status_code == 400
    assert by_rest(alice_here, FRESH, PASSWORD).status_code == 204


def test_one_person_tries_so_often_from_wherever(alice, settings):
    settings.PASSWORD_RATE = 3
    codes = []
    for n in range(4):
        elsewhere = signed_in(alice)
        elsewhere.defaults["REMOTE_ADDR"] = f"192.0.2.{n}"
        codes.append(by_rest(elsewhere, "wrong").status_code)
    assert codes == [400, 400, 400, 429]
    page = by_page(signed_in(alice), PASSWORD)
    assert page.status_code == 429 and "Too often." in page.content.decode()
    assert int(page["Retry-After"]) > 60


def test_in_the_admin_it_is_the_same_page(alice):
    alice.is_staff = alice.is_superuser = True
    alice.save()
    client = signed_in(alice)
    assert client.post("/admin/password_change/", {"old_password": "x"}).url == PAGE


@pytest.fixture
def turns(monkeypatch):
    """One thread, which is held until the test says so, and two who may wait."""
    monkeypatch.setattr(passwords, "WAITING_MAX", 2)
    monkeypatch.setattr(passwords, "_turns", made := passwords.Turns(1))
    made.go, made.began = Event(), Event()
    yield made
    made.go.set()


def hold(turns, who=""):
    def work():
        turns.began.set()
        assert turns.go.wait(SECONDS)
        return who

    passwords.asked_by.set(who)
    return turns.take(work)


def refused(turns, who):
    passwords.asked_by.set(who)
    with pytest.raises(ValidationError) as refusal:
        turns.take(str)
    assert refusal.value.params["retry_after"] > 0
    return refusal.value.code


def test_of_one_only_so_many_wait_and_others_have_their_turn(turns, monkeypatch):
    monkeypatch.setattr(passwords, "OF_ONE_MAX", 1)
    with ThreadPoolExecutor(2) as people:
        first = people.submit(hold, turns, "192.0.2.1 alice@example.com")
        assert turns.began.wait(SECONDS)
        assert refused(turns, "192.0.2.1 alice@example.com") == "rate_limited"
        other = people.submit(hold, turns, "192.0.2.1 bob@example.com")
        turns.go.set()
        assert other.result(SECONDS) and first.result(SECONDS)
    passwords.asked_by.set("192.0.2.1 alice@example.com")
    assert turns.take(str) == ""  # what is over does not count
    assert not turns._present


def full(turns, people):
    held = [people.submit(hold, turns) for _ in range(2)]
    assert turns.began.wait(SECONDS)
    end = time.monotonic() + SECONDS
    while turns._all < 2:  # the second one waits for the first
        assert time.monotonic() < end
        time.sleep(0.001)
    return held


@pytest.mark.parametrize("door", ["page", "admin", "rest", "original", "sign-up", "change"])
def test_who_comes_too_late_is_told_so_at_every_door(alice, turns, door):
    client = signed_in(alice)
    form = {"username": alice.email, "password": PASSWORD}
    token = {"email": alice.email, "password": PASSWORD}
    asked = {
        "page": lambda: Client().post("/accounts/sign-in/", form),
        "admin": lambda: Client().post("/admin/login/", form),
        "rest": lambda: post(Client(), "/api/v1/tokens/", token),
        "original": lambda: post(Client(), "/api/users/login", token),
        "sign-up": lambda: Client().post(
            "/accounts/sign-up/",
            {"email": "dana@example.com", "password": PASSWORD, "display_name": "Dana"},
        ),
        "change": lambda: by_page(client, PASSWORD),
    }[door]
    with ThreadPoolExecutor(2) as people:
        held = full(turns, people)
        answer = asked()
        turns.go.set()
        assert [one.result(SECONDS) for one in held] == ["", ""]
    text = answer.content.decode()
    assert "Too many people sign in right now." in text
    if door != "admin":  # Django's own page says it, and has no status for it
        assert (answer.status_code, answer["Retry-After"]) == (503, "2")
    assert asked().status_code < 400


@pytest.mark.parametrize(
    "cores, workers, threads", [(1, 1, 1), (2, 1, 2), (2, 2, 1), (8, 3, 2), (2, 8, 1), (16, 4, 4)]
)
def test_all_workers_together_have_as_many_threads_as_there_are_cores(cores, workers, threads):
    assert passwords.threads(cores, workers) == threads
