"""What a wire calls people that has one text for each."""

import pytest
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from accounts import stand_ins
from accounts.models import User


def test_only_oneself_is_called_by_the_e_mail():
    bob = User(pk=2, email="bob@example.com", display_name="Bob")
    assert stand_ins.shown(2, "Bob", to=bob) == "bob@example.com"
    assert stand_ins.shown(1, "Alice", to=bob) == "Alice#1"


def test_people_of_the_same_name_are_told_apart_and_nobody_takes_anothers():
    called = [
        stand_ins.stand_in(*one) for one in ((1, "Bob"), (2, "Bob"), (11, "Bob"), (3, "Bob#1"))
    ]
    assert len(set(called)) == 4


@pytest.mark.parametrize("name", ["bob@example.com", '"bob"@example.com', "ChatTalk"])
def test_a_stand_in_is_nobodys_e_mail_and_not_the_systems_name(name):
    """Whoever calls themselves so would speak as another in that other's client."""
    called = stand_ins.stand_in(7, name)
    assert called != "ChatTalk"
    with pytest.raises(ValidationError):
        validate_email(called)


@pytest.mark.parametrize(
    "email, name",
    [
        ("bob@example.com", "bob"),
        ("kim.minsu1990@example.com", "kim"),
        ("test999@test.com", "test"),
        ("1234@example.com", "guest"),
        (f"{'b' * 64}@example.com", "b" * 40),
    ],
)
def test_who_gives_no_name_has_the_first_word_of_the_address_and_no_more(email, name):
    assert stand_ins.from_email(email) == name
