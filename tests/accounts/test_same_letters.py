"""A name and a password have the same letters at every door: composed (NFC), and nothing more.

Fields of Django's own forms for accounts turn what a keyboard writes (ㅋㅋㅋ, ①, ﬁ) into other
letters (NFKC), those of REST don't: a person would be called otherwise, and let in at one of two.
"""

import re
import unicodedata
from urllib.parse import quote

import pytest
from django.test import Client

from accounts.models import User
from rooms.models import Room

NAMES = ["ㅋㅋㅋ", "①ﬁ", "Ａｌｉｃｅ", "김지민"]
PASSWORD = "비밀번호ㅋㅋㅋ①"
ACCOUNT = {"email": "dana@example.com", "password": PASSWORD}
BACKEND = "django.contrib.auth.backends.ModelBackend"
PROFILE = {"phone": "", "language": ""}
JSON = "application/json"

pytestmark = pytest.mark.django_db(transaction=True)


def somebody(**fields):
    """Their browser, signed in."""
    client = Client()
    user = User.objects.create_user("dana@example.com", display_name="Dana", **fields)
    client.force_login(user, BACKEND)
    return client


def boss():
    client = Client()
    user = User.objects.create_superuser("boss@example.com", display_name="Boss")
    client.force_login(user, BACKEND)
    return client


def sign_up_page(name):
    return Client().post("/accounts/sign-up/", ACCOUNT | {"display_name": name})


def sign_up_by_rest(name):
    return Client().post("/api/v1/accounts/", ACCOUNT | {"display_name": name}, JSON)


def profile_page(name):
    return somebody().post("/accounts/profile/", PROFILE | {"display_name": name})


def profile_by_rest(name):
    return somebody().patch("/api/v1/me/", {"display_name": name}, JSON)


def added_by_staff(name):
    fields = {"email": "dana@example.com", "display_name": name, "usable_password": "true"}
    fields |= {"password1": PASSWORD, "password2": PASSWORD}
    return boss().post("/admin/accounts/user/add/", fields)


def changed_by_staff(name):
    person = User.objects.create_user("dana@example.com", display_name="Dana")
    fields = PROFILE | {"email": person.email, "display_name": name}
    return boss().post(f"/admin/accounts/user/{person.pk}/edit/", fields)


DOORS = [
    sign_up_page, sign_up_by_rest, profile_page, profile_by_rest, added_by_staff, changed_by_staff,
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_a_name_keeps_the_letters_that_were_written(door, name):
    assert door(unicodedata.normalize("NFD", name)).status_code in (200, 201, 302)
    assert User.objects.get(email="dana@example.com").display_name == name


@pytest.mark.parametrize("door", [sign_up_page, sign_up_by_rest, added_by_staff])
def test_a_password_of_one_door_is_the_password_of_the_others(door):
    door("Dana")
    assert Client().post("/api/v1/tokens/", ACCOUNT, JSON).status_code == 200
    form = {"username": ACCOUNT["email"], "password": PASSWORD}
    assert Client().post("/accounts/sign-in/", form).status_code == 302


@pytest.mark.parametrize(
    "path",
    ["/?q={}", "/api/v1/rooms/?q={}", "/admin/rooms/room/?q={}", "/admin/accounts/user/?q={}"],
)
def test_what_is_looked_for_in_pieces_is_found(path):
    """Some systems write Hangul so, in names of files, and what is copied from there."""
    client = boss()
    owner = User.objects.create_user("dana@example.com", display_name="서울 사람")
    Room.objects.create(title="서울 찻집", owner=owner, capacity=5)
    answer = client.get(path.format(quote(unicodedata.normalize("NFD", "서울"))))
    assert re.search("서울 (찻집|사람)", answer.content.decode())
