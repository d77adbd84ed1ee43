"""Sign up, sign in, sign out, as the original's page does it."""

import re

import pytest

from accounts.models import Device, User
from tests.interfaces.original.page import PHONE, Page

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_cache")]


def test_signing_up_is_answered_200_and_never_with_the_password():
    answer = Page("bob").sign_up()
    assert answer.status_code == 200
    assert "password" not in answer.content.decode() and "argon2" not in answer.content.decode()
    bob = User.objects.get(email="bob@example.com")
    assert (bob.display_name, bob.phone) == ("bob", PHONE)


@pytest.mark.parametrize("phone", ["010-1234-5678", "02-123-4567", "000-000-0000", "+82 10 1234"])
def test_phones_are_taken_as_people_write_them(phone):
    assert Page("bob").sign_up(phone=phone).status_code == 200


def test_who_asks_to_be_an_administrator_is_a_person_like_others():
    page = Page("mallory")
    assert page.sign_up(role="ADMIN").status_code == 200
    mallory = User.objects.get(email=page.email)
    assert not mallory.is_staff and not mallory.is_superuser
    assert page.sign_in().json()["user"]["role"] == "USER"


@pytest.mark.parametrize(
    "field, value, code",
    [
        ("email", "bob", "invalid"),
        ("email", "taken@example.com", "unique"),
        ("email", None, "null"),
        ("password", "test", "password_too_short"),
        ("password", "a\0b", "null_characters_not_allowed"),
        ("phone", "call me", "invalid"),
        ("role", "KING", "invalid_choice"),
    ],
)
def test_a_bad_account_is_refused_by_field_and_not_made(field, value, code):
    Page("taken").sign_up()
    answer = Page("bob").sign_up(**{field: value})
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    (error, *_more) = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == (f"/{field}", code)
    assert User.objects.count() == 1


@pytest.mark.parametrize("body", ["[]", '"x"', "7", "null", "{}", "{", ""])
def test_a_body_that_is_no_account_is_refused(body):
    answer = Page().client.post("/api/users/signup", body, "application/json")
    assert answer.status_code == 400


def test_the_passwords_of_the_load_scripts_need_a_setting(settings):
    account = {"password": "test", "phone": "000-000-0000"}
    assert Page("test2").sign_up(**account).status_code == 400
    settings.ORIGINAL_WEAK_PASSWORDS = True
    page = Page("test2")
    assert page.sign_up(**account).status_code == 200
    assert page.sign_in("test").status_code == 200


def test_signing_in_answers_with_the_user_that_the_page_shows():
    page = Page("bob")
    page.sign_up()
    answer = page.sign_in()
    assert answer.status_code == 200
    body = answer.json()
    assert body["status"] == 200 and body["message"]
    assert body["user"] == {"email": "bob@example.com", "phone": PHONE, "role": "USER"}


def test_the_cookie_is_one_that_the_page_and_the_load_scripts_can_read():
    page = Page("bob")
    page.sign_up()
    answer = page.sign_in()
    header = answer.cookies["Authorization"].output()
    (token,) = re.findall(r"Set-Cookie: Authorization=Bearer%20(.+?);", header)
    attributes = {part.strip() for part in header.split(";")[1:]}
    assert {"Path=/", "SameSite=Lax", "Max-Age=3600"} <= attributes
    assert not {"HttpOnly", "Secure"} & attributes
    assert page.get("open-chats").status_code == 200
    assert Page().get("open-chats", Authorization=f"Bearer {token}").status_code == 200


def test_with_https_the_cookie_is_for_https_alone(settings):
    settings.HTTPS = True
    page = Page("bob")
    page.sign_up()
    assert page.sign_in().cookies["Authorization"]["secure"]


def test_no_other_cookie_can_be_read_by_scripts(client, db):
    """Its page takes all that follows `Bearer%20` for the token, whatever cookie that is."""
    page = Page("bob", enforce_csrf_checks=True).come_in()
    page.client.get("/accounts/sign-in/")
    page.client.get("/accounts/sign-up/")
    readable = {name for name, one in page.client.cookies.items() if not one["httponly"]}
    assert "csrftoken" in page.client.cookies
    assert readable == {"Authorization"}


@pytest.mark.parametrize("glued", ["; csrftoken=abc", ";x", "; sessionid=1; y=2"])
def test_cookies_glued_to_the_token_are_cut_off(glued):
    page = Page("bob").come_in()
    assert Page().get("open-chats", Authorization=f"Bearer {page.token}{glued}").status_code == 200


@pytest.mark.parametrize("proof", ["Bearer nonsense", "Bearer%20nonsense", "bearer a.b.c"])
def test_a_token_that_does_not_count_is_401_at_once(proof):
    answer = Page().get("open-chats", Authorization=proof)
    assert (answer.status_code, answer.json()["code"]) == (401, "token_not_valid")
    page = Page()
    page.client.cookies["Authorization"] = proof.replace(" ", "%20")
    assert page.get("open-chats").status_code == 401


def test_without_a_token_it_is_401():
    assert Page().get("open-chats").status_code == 401


def test_a_header_with_a_name_proves_nothing():
    Page("bob").come_in()
    answer = Page().get("open-chats", email="bob@example.com", role="ADMIN")
    assert answer.status_code == 401


def test_a_wrong_password_is_401_and_the_sixth_waits():
    page = Page("bob")
    page.sign_up()
    for _ in range(4):
        answer = page.sign_in("wrong")
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_login")
    assert page.sign_in("wrong").status_code == 429
    answer = page.sign_in()
    assert (answer.status_code, answer.json()["code"]) == (429, "locked_out")
    assert 0 < int(answer["Retry-After"]) <= 900
    assert "Authorization" not in page.client.cookies


def test_signing_out_takes_the_cookie_and_ends_the_token():
    page = Page("bob").come_in()
    token = page.token
    answer = page.post("users/logout")
    assert answer.status_code == 200
    gone = answer.cookies["Authorization"]
    assert (gone.value, gone["max-age"], gone["path"]) == ("", 0, "/")
    assert Page().get("open-chats", Authorization=f"Bearer {token}").status_code == 401
    assert not Device.objects.exists()


def test_signing_out_here_leaves_other_devices_alone():
    here, there = Page("bob").come_in(), Page("bob")
    there.sign_in()
    here.post("users/logout")
    assert there.get("open-chats").status_code == 200


@pytest.mark.parametrize("proof", [None, "Bearer%20nonsense"])
def test_signing_out_works_for_who_is_signed_out_already(proof):
    page = Page()
    if proof:
        page.client.cookies["Authorization"] = proof
    answer = page.post("users/logout")
    assert answer.status_code == 200
    assert answer.cookies["Authorization"]["max-age"] == 0
