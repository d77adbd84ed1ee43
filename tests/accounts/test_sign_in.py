import pytest
from django.conf import settings
from django.urls import reverse

from tests.accounts.conftest import PASSWORD

SIGN_IN = "/accounts/sign-in/"


def sign_in(client, email="alice@example.com", password=PASSWORD, **more):
    return client.post(SIGN_IN, {"username": email, "password": password} | more)


@pytest.mark.parametrize("email", ["alice@example.com", "ALICE@Example.Com", " alice@example.com "])
def test_capitals_and_spaces_of_the_address_do_not_matter(client, alice, email):
    assert sign_in(client, email).url == "/"


def test_an_unknown_address_and_a_wrong_password_get_the_same_answer(client, alice):
    wrong, unknown = sign_in(client, password="wrong"), sign_in(client, "nobody@example.com")
    for answer in (wrong, unknown):
        assert answer.status_code == 200
        assert answer.context["form"].non_field_errors() == ["E-mail or password is not right."]


def test_an_account_that_was_switched_off_gets_that_answer_too(client, alice):
    alice.is_active = False
    alice.save()
    errors = sign_in(client).context["form"].non_field_errors()
    assert errors == ["E-mail or password is not right."]


def test_a_new_session_begins_and_lasts_two_weeks(client, alice):
    client.get(SIGN_IN)
    client.session["before"] = 1
    before = client.session.session_key
    answer = sign_in(client)
    assert client.session.session_key != before
    cookie = answer.cookies[settings.SESSION_COOKIE_NAME]
    assert cookie["max-age"] == 14 * 24 * 3600
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


@pytest.mark.parametrize("door", [SIGN_IN, "/accounts/sign-up/"])
@pytest.mark.parametrize(
    ("asked", "led"),
    [
        ("/rooms/7/", "/rooms/7/"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        (SIGN_IN, "/"),
        (f"{SIGN_IN}?next={SIGN_IN}", "/"),
        ("\x00", "/"),
    ],
)
def test_next_leads_to_our_own_pages_only(client, alice, door, asked, led):
    page = client.get(door, {"next": asked})
    assert page.context["next"] == ("" if led == "/" else led)
    client.force_login(alice, "django.contrib.auth.backends.ModelBackend")
    assert client.get(door, {"next": asked}).url == led


def test_signing_out_takes_a_post(client, alice):
    sign_in(client)
    assert client.get("/accounts/sign-out/").status_code == 405
    assert client.post("/accounts/sign-out/").url == SIGN_IN
    assert "_auth_user_id" not in client.session


def test_pages_for_people_send_a_stranger_to_sign_in_and_back(client, db):
    for name in ("accounts:profile", "accounts:password", "rooms:create"):
        address = reverse(name)
        assert client.get(address).url == f"{SIGN_IN}?next={address}"


def test_after_five_wrong_passwords_there_is_a_break_that_names_its_end(client, alice):
    for _ in range(4):
        assert sign_in(client, password="wrong").status_code == 200
    answer = sign_in(client, password="wrong")
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= settings.AXES_COOLOFF_TIME * 3600
    assert "Come back in 15 minutes." in answer.content.decode()
    assert sign_in(client).status_code == 429, "the right password has to wait as well"


def test_trying_during_the_break_does_not_lengthen_it(client, alice):
    waits = [sign_in(client, password="wrong").get("Retry-After") for _ in range(8)]
    ends = [int(wait) for wait in waits if wait]
    assert len(ends) == 4
    assert ends == sorted(ends, reverse=True)


@pytest.mark.parametrize("door", [SIGN_IN, "/admin/login/"])
def test_other_capitals_are_not_five_more_tries(client, alice, door):
    addresses = ["alice@example.com", "Alice@example.com", "ALICE@EXAMPLE.COM"] * 2
    data = [{"username": address, "password": "wrong"} for address in addresses]
    statuses = [client.post(door, form).status_code for form in data]
    assert statuses == [200] * 4 + [429] * 2


def test_somebody_elsewhere_cannot_lock_the_owner_out(client, alice):
    for _ in range(6):
        client.post(SIGN_IN, {"username": alice.email, "password": "x"}, REMOTE_ADDR="192.0.2.9")
    assert sign_in(client).url == "/"


@pytest.mark.parametrize("data", [{}, {"username": "\x00", "password": "\x00"}, {"username": "x"}])
def test_nonsense_gets_the_form_again(client, db, data):
    assert client.post(SIGN_IN, data).status_code == 200
