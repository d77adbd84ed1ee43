import json

import pytest

from accounts.models import User

SIGN_IN = "/accounts/sign-in/"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("asked", "spoken"),
    [
        ("ko-KR,ko;q=0.9,en;q=0.5", "ko"),
        ("en-GB", "en"),
        ("tlh", "en"),
        ("", "en"),
        ("ko;q=x", "en"),
    ],
)
def test_a_stranger_is_spoken_to_as_the_browser_asks(client, asked, spoken):
    answer = client.get(SIGN_IN, headers={"Accept-Language": asked})
    assert answer["Content-Language"] == spoken
    assert {"Accept-Language", "Cookie"} <= set(answer["Vary"].split(", "))


@pytest.mark.django_db
def test_a_password_like_the_address_is_refused_in_good_korean(client):
    form = {"email": "longhorse@example.com", "display_name": "말", "password": "longhorse"}
    answer = client.post("/accounts/sign-up/", form, headers={"Accept-Language": "ko"})
    assert "비밀번호가 이메일과(와) 너무 비슷합니다." in answer.content.decode()


@pytest.mark.parametrize(("chosen", "spoken"), [("en", "en"), ("ko", "ko"), ("", "ko")])
def test_a_choice_in_the_profile_wins_over_the_browser(client, db, chosen, spoken):
    bob = User.objects.create_user("bob@example.com", display_name="Bob", language=chosen)
    client.force_login(bob, "django.contrib.auth.backends.ModelBackend")
    answer = client.get("/accounts/profile/", headers={"Accept-Language": "ko"})
    assert answer["Content-Language"] == spoken


@pytest.mark.django_db
def test_one_persons_language_does_not_stick_to_the_next(client):
    client.get(SIGN_IN, headers={"Accept-Language": "ko"})
    assert client.get(SIGN_IN)["Content-Language"] == "en"


@pytest.mark.django_db
def test_the_scripts_get_their_words_in_the_same_language(client):
    catalog = client.get("/jsi18n/", headers={"Accept-Language": "ko"}).content.decode()
    assert json.dumps("읽지 않음") in catalog
