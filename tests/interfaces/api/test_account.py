"""Signing up and in by REST, one's own account, and one's devices."""

import pytest

from accounts.models import User

PASSWORD = "a long and quiet evening"


def sign_up(door, name="Dana", **more):
    account = {"email": f"{name}@Example.com", "password": PASSWORD, "display_name": name}
    return door("POST", "accounts/", account | more)


def sign_in(door, name="Dana", password=PASSWORD):
    return door("POST", "tokens/", {"email": f"{name}@example.com", "password": password})


@pytest.fixture
def dana(as_nobody):
    """A person with a token, as headers."""
    sign_up(as_nobody)
    return {"Authorization": f"Bearer {sign_in(as_nobody).json()['access']}"}


def test_a_new_account_is_an_ordinary_one_whatever_was_asked(as_nobody):
    answer = sign_up(as_nobody, is_staff=True, is_superuser=True, is_active=False, id=1)
    assert answer.status_code == 201
    assert set(answer.json()) == {"id", "email", "display_name", "phone", "language"}
    user = User.objects.get(email="dana@example.com")
    assert (user.is_staff, user.is_superuser, user.is_active) == (False, False, True)


def test_an_account_that_can_not_be_is_pointed_at(as_nobody):
    sign_up(as_nobody)
    for changes, pointer, code in [
        ({}, "/email", "unique"),
        ({"email": "no address"}, "/email", "invalid"),
        ({"email": "e@example.com", "password": "12345678"}, "/password", "password_too_common"),
        ({"email": "e@example.com", "display_name": "\u200f"}, "/display_name", "bad_text"),
        ({"email": "e@example.com", "password": 7 * ["x"]}, "/password", "invalid"),
    ]:
        errors = sign_up(as_nobody, **changes).json()["errors"]
        assert (errors[0]["pointer"], errors[0]["code"]) == (pointer, code)
    assert User.objects.count() == 1


def test_a_wrong_password_is_401_and_too_many_are_a_break(as_nobody, settings):
    sign_up(as_nobody)
    answers = [sign_in(as_nobody, password="wrong") for _ in range(settings.AXES_FAILURE_LIMIT + 1)]
    assert (answers[0].status_code, answers[0].json()["code"]) == (401, "invalid_login")
    assert (answers[-1].status_code, answers[-1].json()["code"]) == (429, "locked_out")
    assert int(answers[-1]["Retry-After"]) > 60


def test_tokens_are_refreshed_verified_and_never_kept_by_a_cache(as_nobody):
    sign_up(as_nobody)
    pair = sign_in(as_nobody).json()
    answer = as_nobody("POST", "tokens/refresh/", {"refresh": pair["refresh"]})
    assert answer["Cache-Control"] == "private, no-store"
    successor = answer.json()
    assert successor["device"] == pair["device"] and successor["refresh"] != pair["refresh"]
    assert as_nobody("POST", "tokens/verify/", {"token": pair["access"]}).status_code == 200
    for path, name in (("tokens/verify/", "token"), ("tokens/refresh/", "refresh")):
        refused = as_nobody("POST", path, {name: "x"})
        assert (refused.status_code, refused.json()["code"]) == (401, "token_not_valid")
    crossed = as_nobody("POST", "tokens/verify/", {"token": pair["refresh"]})
    assert crossed.status_code == 401


def test_signing_out_ends_this_device_or_all(as_nobody, dana):
    other = {"Authorization": f"Bearer {sign_in(as_nobody).json()['access']}"}
    listed = as_nobody("GET", "devices/", **dana).json()["results"]
    assert [one["current"] for one in listed] == [False, True]
    assert as_nobody("POST", "tokens/revoke/", **dana).status_code == 204
    assert as_nobody("GET", "me/", **dana).status_code == 401
    assert as_nobody("GET", "me/", **other).status_code == 200
    everywhere = as_nobody("POST", "tokens/revoke/", {"everywhere": True}, **other)
    assert everywhere.status_code == 204
    assert as_nobody("GET", "me/", **other).status_code == 401


def test_a_device_of_somebody_else_does_not_exist(as_nobody, dana):
    sign_up(as_nobody, "Erin")
    device = sign_in(as_nobody, "Erin").json()["device"]
    assert as_nobody("DELETE", f"devices/{device}/", **dana).status_code == 404


def test_a_profile_takes_what_is_its_own_and_nothing_else(as_nobody, dana):
    asked = {
        "phone": "+82 2 123 4567", "language": "ko", "is_staff": True, "email": "x@example.com",
        "is_superuser": True, "password": "x", "id": 1,
    }  # fmt: skip
    answer = as_nobody("PATCH", "me/", asked, **dana)
    me = as_nobody("GET", "me/", **dana).json()
    assert answer.json() == me
    assert (me["email"], me["display_name"]) == ("dana@example.com", "Dana")
    assert (me["phone"], me["language"]) == ("+82 2 123 4567", "ko")
    user = User.objects.get()
    assert not user.is_staff and not user.is_superuser and user.check_password(PASSWORD)
    assert as_nobody("PATCH", "me/", {"language": "xx"}, **dana).status_code == 400
    assert as_nobody("PATCH", "me/", {"phone": "no"}, **dana).json()["errors"][0]["pointer"] == (
        "/phone"
    )


def test_a_new_password_needs_the_old_one_and_ends_the_others(as_nobody, dana):
    other = {"Authorization": f"Bearer {sign_in(as_nobody).json()['access']}"}
    wrong = as_nobody("PUT", "me/password/", {"current": "x", "new": "nine green bottles"}, **dana)
    assert wrong.json()["errors"][0]["code"] == "wrong_password"
    asked = {"current": PASSWORD, "new": "nine green bottles"}
    assert as_nobody("PUT", "me/password/", asked, **dana).status_code == 204
    assert as_nobody("GET", "me/", **dana).status_code == 200
    assert as_nobody("GET", "me/", **other).status_code == 401
    assert sign_in(as_nobody).status_code == 401
    assert sign_in(as_nobody, password="nine green bottles").status_code == 200


def test_a_browser_stays_signed_in_with_its_new_password(as_bob, bob):
    bob.set_password(PASSWORD)
    bob.save()
    as_bob.client.force_login(bob, backend="django.contrib.auth.backends.ModelBackend")
    asked = {"current": PASSWORD, "new": "nine green bottles"}
    assert as_bob("PUT", "me/password/", asked).status_code == 204
    assert as_bob("GET", "me/").status_code == 200


def test_a_ticket_is_for_who_signs_in_by_token(as_nobody, as_bob, dana):
    ticket = as_nobody("POST", "tickets/", **dana)
    assert (ticket.status_code, ticket.json()["expires_in"]) == (201, 30)
    refused = as_bob("POST", "tickets/")
    assert (refused.status_code, refused.json()["code"]) == (400, "token_needed")
