"""`--demo` makes what it says that it made, whatever is there already."""

import pytest

from accounts.models import User
from chattalk import demo
from messaging import services
from messaging.models import Event
from rooms.models import Room

pytestmark = pytest.mark.usefixtures("transactional_db")  # people are seated by another thread


@pytest.fixture(autouse=True)
def debug(settings):
    settings.DEBUG = True  # pytest-django turns it off


def titles():
    return set(Room.objects.values_list("title", flat=True))


DEMO = {title for title, *_ in demo.ROOMS}


def test_it_comes_beside_the_rooms_of_a_first_run_without_it(charlie):
    services.open_room(charlie, title="Ours")
    said = demo.fill()
    assert said.startswith("The demo is filled in. Sign in as alice@example.com, bob@example.com")
    assert titles() == DEMO | {"Ours"}
    assert Event.objects.filter(body="We are full now.").count() == 1


def test_it_comes_once_and_says_so():
    demo.fill()
    room = Room.objects.get(title="Seoul coffee")
    services.edit_room(room.pk, by=room.owner, title="Busan coffee")
    before = Event.objects.count()
    said = demo.fill()
    assert said.startswith("The demo is here from an earlier start. Sign in as alice@example.com")
    assert Event.objects.count() == before and "Seoul coffee" not in titles()


def test_one_that_was_cut_off_is_made_whole():
    demo.fill()
    Room.objects.filter(title__in=["Night owls", "Table for two"]).delete()
    assert "is filled in" in demo.fill()
    assert titles() == DEMO


def test_nobody_speaks_in_the_name_of_somebody_with_a_password_of_their_own():
    User.objects.create_user("bob@example.com", "of his own 123", display_name="Robert")
    said = demo.fill()
    assert "bob@example.com: with a password of their own, and left as they are" in said
    assert "bob" not in said.partition(" with ")[0]
    assert titles() == DEMO - {"Table for two"}
    assert not Event.objects.filter(sender__email="bob@example.com").exists()
