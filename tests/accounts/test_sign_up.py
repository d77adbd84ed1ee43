from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.exceptions import ValidationError
from django.db import connections
from django.urls import reverse

from accounts import services as accounts
from accounts.models import User

FORM = {"email": "Alice@Example.com", "display_name": "Alice", "password": "nine green bottles"}


def sign_up(client, **changes):
    return client.post(reverse("accounts:sign_up"), FORM | changes)


@pytest.mark.django_db
def test_who_signs_up_is_signed_in_and_in_the_lobby(client):
    answer = sign_up(client)
    assert (answer.status_code, answer.url) == (302, "/")
    assert int(client.session["_auth_user_id"]) == User.objects.get().pk


@pytest.mark.django_db
def test_the_address_is_kept_in_lower_case_and_the_password_by_argon2(client):
    sign_up(client)
    alice = User.objects.get()
    assert alice.email == "alice@example.com"
    assert alice.password.startswith("argon2")


@pytest.mark.django_db
def test_one_address_has_one_account_whatever_its_capitals(client):
    accounts.sign_up(**FORM, address="192.0.2.1")
    answer = sign_up(client, email="ALICE@example.COM")
    assert answer.status_code == 200
    assert "already an account" in answer.content.decode()
    assert User.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"email": "", "display_name": "\u3164", "password": "12345678"}, 3),
        ({"email": "nowhere", "display_name": "a\nb", "password": ""}, 3),
        ({"email": "alice@example.com", "display_name": "\u3164", "password": "short"}, 3),
        ({"email": "nowhere", "password": "password123"}, 2),
    ],
)
def test_all_that_is_wrong_is_told_at_once(client, changes, wrong):
    accounts.sign_up(**FORM, address="192.0.2.1")
    errors = sign_up(client, **changes).context["form"].errors
    assert len(errors) == wrong
    assert all(len(texts) == len(set(texts)) for texts in errors.values())


@pytest.mark.django_db(transaction=True)
def test_of_two_at_the_same_time_one_is_refused_clearly():
    def attempt(number):
        try:
            accounts.sign_up(**FORM, address=f"192.0.2.{number}")
        except ValidationError as refusal:
            return refusal.message_dict["email"]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(attempt, range(4)))
    assert answers.count(None) == 1
    assert User.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("password", ["", "short", "12345678901", "password123", "alice@example"])
def test_a_weak_password_is_refused_beside_its_field(client, password):
    answer = sign_up(client, password=password)
    assert answer.context["form"].errors["password"]
    assert 'aria-describedby="id_password_helptext id_password_error"' in answer.content.decode()
    assert not User.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name",
    ["", "  ", "\u3164", "\u200b", "a\nb", "a\tb", "a\x00b", "\u202eecila", "a\u2028b", "x" * 41],
)
def test_a_name_that_cannot_be_seen_or_told_apart_is_refused(client, name):
    answer = sign_up(client, display_name=name)
    assert answer.status_code == 200
    assert answer.context["form"].errors["display_name"]
    assert not User.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "kept"),
    [("  Alice  ", "Alice"), ("김지민", "김지민"), ("a  b", "a b"), ("👩‍👩‍👧", "👩‍👩‍👧")],
)
def test_a_name_is_kept_composed_and_trimmed(client, given, kept):
    sign_up(client, display_name=given)
    assert User.objects.get().display_name == kept


@pytest.mark.django_db
def test_a_name_of_decomposed_hangul_is_composed(client):
    sign_up(client, display_name="\u1100\u1175\u11b7")
    assert User.objects.get().display_name == "김"


@pytest.mark.django_db
@pytest.mark.parametrize("email", ["", "alice", "a@b", "a\x00@example.com", "x" * 250 + "@ex.com"])
def test_no_address_no_account(client, email):
    answer = sign_up(client, email=email)
    assert answer.context["form"].errors["email"]
    assert not User.objects.exists()


@pytest.mark.django_db
def test_nobody_becomes_staff_by_asking(client):
    sign_up(client, is_staff="1", is_superuser="1")
    alice = User.objects.get()
    assert not (alice.is_staff or alice.is_superuser)


@pytest.mark.django_db
def test_who_is_signed_in_needs_no_second_account(client):
    sign_up(client)
    assert client.get(reverse("accounts:sign_up")).url == "/"
