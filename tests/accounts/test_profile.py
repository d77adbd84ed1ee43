import pytest

from tests.accounts.conftest import PASSWORD

PROFILE, CHANGE = "/accounts/profile/", "/accounts/password/"
FORM = {"display_name": "Alice", "phone": "", "language": ""}


@pytest.fixture
def client(client, alice):
    client.force_login(alice, "django.contrib.auth.backends.ModelBackend")
    return client


def test_name_phone_and_language_are_kept(client, alice):
    form = {"display_name": " Alicia ", "phone": "010-1234-5678", "language": "ko"}
    assert client.post(PROFILE, form).url == PROFILE
    alice.refresh_from_db()
    assert (alice.display_name, alice.phone, alice.language) == ("Alicia", "010-1234-5678", "ko")


def test_the_chosen_language_speaks_at_once(client):
    answer = client.post(PROFILE, FORM | {"language": "ko"}, follow=True)
    assert answer["Content-Language"] == "ko"
    assert '<html lang="ko">' in answer.content.decode()


def test_who_goes_back_to_the_language_of_the_browser_is_told_so_in_it(client):
    client.post(PROFILE, FORM | {"language": "en"})
    answer = client.post(PROFILE, FORM, follow=True, headers={"Accept-Language": "ko"})
    assert "프로필을 저장했습니다." in answer.content.decode()


@pytest.mark.parametrize(
    ("field", "value"),
    [("display_name", "\u202ea"), ("phone", "call me"), ("phone", "1" * 30), ("language", "tlh")],
)
def test_what_is_refused_stands_at_its_field_and_changes_nothing(client, alice, field, value):
    answer = client.post(PROFILE, FORM | {field: value})
    assert list(answer.context["form"].errors) == [field]
    alice.refresh_from_db()
    assert (alice.display_name, alice.phone, alice.language) == ("Alice", "", "")


def test_all_that_is_wrong_is_told_at_once(client):
    answer = client.post(PROFILE, {"display_name": "", "phone": "call me", "language": ""})
    assert list(answer.context["form"].errors) == ["display_name", "phone"]


def test_the_address_is_shown_and_cannot_be_changed_here(client, alice):
    client.post(PROFILE, FORM | {"email": "mallory@example.com"})
    alice.refresh_from_db()
    assert alice.email == "alice@example.com"
    assert alice.email in client.get(PROFILE).content.decode()


def test_a_changed_password_keeps_me_here_and_signs_out_my_other_devices(client, alice):
    other = type(client)()
    other.force_login(alice, "django.contrib.auth.backends.ModelBackend")
    fresh = "ten green bottles"
    form = {"old_password": PASSWORD, "new_password1": fresh, "new_password2": fresh}
    assert client.post(CHANGE, form).url == PROFILE
    assert client.get(PROFILE).status_code == 200
    assert other.get(PROFILE).status_code == 302


@pytest.mark.parametrize(
    "changes",
    [{"old_password": "wrong"}, {"new_password2": "another one"}, {"new_password1": "1234"}],
)
def test_a_password_is_not_changed_by_a_slip(client, alice, changes):
    fresh = "ten green bottles"
    form = {"old_password": PASSWORD, "new_password1": fresh, "new_password2": fresh} | changes
    assert client.post(CHANGE, form).context["form"].errors
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)
