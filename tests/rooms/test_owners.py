"""Members and the keys of a room, as its owner keeps them on the pages."""

import pytest

from interfaces.web import people
from messaging import services as messaging
from messaging.models import Event
from rooms.models import Membership, Room

pytestmark = pytest.mark.django_db


def enter(client, person):
    client.force_login(person, "django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def room(transactional_db, alice, bob):
    room = messaging.open_room(alice, title="Tea", description="", capacity=3)
    messaging.join(room.pk, bob)
    return room


@pytest.fixture
def deed(room, bob):
    return lambda name, person=bob: f"/rooms/{room.pk}/people/{person.pk}/{name}/"


def kinds(room):
    return list(Event.objects.filter(room=room).order_by("seq").values_list("kind", "body"))


def test_the_owner_finds_the_members_and_no_button_beside_their_own_name(client, alice, room, deed):
    page = enter(client, alice).get(f"/rooms/{room.pk}/people/").text
    assert deed("remove") in page and deed("hand-over") in page
    assert deed("remove", alice) not in page and deed("hand-over", alice) not in page


def test_members_are_found_by_name(client, alice, room):
    enter(client, alice)
    assert "Bob" in client.get(f"/rooms/{room.pk}/people/?q=bo").text
    assert "No member has this" in client.get(f"/rooms/{room.pk}/people/?q=zoe").text


@pytest.mark.parametrize("name", ["remove", "hand-over"])
def test_asking_changes_nothing(client, alice, room, deed, name):
    before = kinds(room)
    page = enter(client, alice).get(deed(name)).text
    assert "Bob" in page and f'action="{deed(name)}"' in page
    assert kinds(room) == before
    room.refresh_from_db()
    assert (room.owner, room.personnel) == (alice, 2)


def test_who_is_removed_has_no_seat_and_it_stands_in_the_log(client, alice, bob, room, deed):
    assert enter(client, alice).post(deed("remove")).url == f"/rooms/{room.pk}/people/"
    assert not Membership.objects.filter(room=room, user=bob).exists()
    assert kinds(room)[-1] == ("leave", "removed")
    assert "Bob was removed" in client.get(f"/rooms/{room.pk}/people/").text


def test_the_room_is_handed_over_and_its_keys_with_it(client, alice, bob, room, deed):
    assert enter(client, alice).post(deed("hand-over")).url == f"/rooms/{room.pk}/"
    room.refresh_from_db()
    assert room.owner == bob
    assert kinds(room)[-1][0] == "owner"
    assert client.post(deed("remove")).status_code == 403
    assert enter(client, bob).get(f"/rooms/{room.pk}/people/").status_code == 200


@pytest.mark.parametrize("name", ["remove", "hand-over"])
def test_who_has_left_meanwhile_is_said_to_be_gone(client, alice, bob, room, deed, name):
    enter(client, alice)
    messaging.leave(room.pk, bob)
    answer = client.post(deed(name), follow=True)
    assert answer.status_code == 200 and "not in the room any more" in answer.text
    room.refresh_from_db()
    assert room.owner == alice


@pytest.mark.parametrize("name", ["remove", "hand-over"])
def test_who_leaves_between_our_look_and_the_change_is_gone_too(
    client, alice, bob, room, deed, name, monkeypatch
):
    look = people._member

    def and_they_leave(*asked):
        found = look(*asked)
        messaging.leave(room.pk, bob)
        return found

    monkeypatch.setattr(people, "_member", and_they_leave)
    answer = enter(client, alice).post(deed(name), follow=True)
    assert "not in the room any more" in answer.text
    assert "was removed" not in answer.text and "owner now" not in answer.text


def test_names_are_told_of_members_only(client, alice, charlie, room, deed):
    enter(client, alice)
    for name in ("remove", "hand-over"):
        assert "Charlie" not in client.get(deed(name, charlie), follow=True).text


@pytest.mark.parametrize("who", ["bob", "charlie"])
@pytest.mark.parametrize("name", ["remove", "hand-over"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_others_may_not(client, request, alice, room, deed, who, name, method):
    enter(client, request.getfixturevalue(who))
    assert getattr(client, method)(deed(name)).status_code == 403
    assert client.get(f"/rooms/{room.pk}/people/").status_code == 403
    room.refresh_from_db()
    assert (room.owner, room.personnel) == (alice, 2)


def test_an_owner_without_a_seat_takes_one_first_to_see_who_is_in_it(client, alice, room):
    messaging.leave(room.pk, alice)
    assert enter(client, alice).get(f"/rooms/{room.pk}/people/").url == f"/rooms/{room.pk}/"


def test_a_stranger_has_to_sign_in_first(client, room, deed):
    for address in (f"/rooms/{room.pk}/people/", deed("remove"), deed("hand-over")):
        assert client.get(address).url.startswith("/accounts/sign-in/")
        assert client.post(deed("remove")).url.startswith("/accounts/sign-in/")


@pytest.mark.parametrize("room_id, user_id", [(10**25, 1), (999_999, 1)])
def test_a_room_that_is_not_there_is_not_found(client, alice, room_id, user_id):
    enter(client, alice)
    for name in ("remove", "hand-over"):
        assert client.post(f"/rooms/{room_id}/people/{user_id}/{name}/").status_code == 404
    assert client.get(f"/rooms/{room_id}/people/").status_code == 404


def test_a_person_that_is_not_there_is_gone(client, alice, room):
    enter(client, alice)
    address = f"/rooms/{room.pk}/people/%s/remove/"
    assert client.post(address % 999_999).url == f"/rooms/{room.pk}/people/"
    assert client.post(address % 10**25).status_code == 404  # no number of a person


# --- leaving ------------------------------------------------------------------------------------


def asked(client, person, room):
    return enter(client, person).get(f"/rooms/{room.pk}/leave/ask/").text


def test_asking_before_leaving_says_what_is_lost(client, alice, bob, room):
    before = kinds(room)
    assert "You can come back as long as there is one" in asked(client, bob, room)
    assert "Rooms you opened" not in asked(client, bob, room)
    assert "Rooms you opened" in asked(client, alice, room)
    Room.objects.filter(pk=room.pk).update(capacity=2)
    assert "you may not get back in" in asked(client, bob, room)
    messaging.close_room(room.pk, alice)
    assert "nor read what was said" in asked(client, bob, room)
    assert kinds(room)[: len(before)] == before and len(kinds(room)) == len(before) + 1


def test_who_has_no_seat_is_not_asked(client, charlie, room):
    answer = enter(client, charlie).get(f"/rooms/{room.pk}/leave/ask/")
    assert answer.url == f"/rooms/{room.pk}/"


def test_who_left_is_told_of_which_room(client, bob, room):
    answer = enter(client, bob).post(f"/rooms/{room.pk}/leave/", follow=True)
    assert "You left “Tea”." in answer.text


# --- finding it again ---------------------------------------------------------------------------


def test_an_owner_who_closed_and_left_finds_the_room_in_the_lobby(client, alice, bob, room):
    assert "Rooms you opened" not in enter(client, alice).get("/").text
    messaging.close_room(room.pk, alice)
    messaging.leave(room.pk, alice)
    lobby = client.get("/").text
    assert "Rooms you opened" in lobby and f'href="/rooms/{room.pk}/"' in lobby
    assert "Open the room again" in client.get(f"/rooms/{room.pk}/").text
    assert f'href="/rooms/{room.pk}/"' not in enter(client, bob).get("/lobby/rooms/").text
    assert "Rooms you opened" not in client.get("/").text


# --- waiting for a seat -------------------------------------------------------------------------


def state(client, room):
    page = client.get(f"/rooms/{room.pk}/entrance/")
    return page.text.split('data-state="')[1].split('"')[0]


def test_an_entrance_tells_how_it_is_now(client, alice, bob, charlie, room):
    enter(client, charlie)
    assert state(client, room) == "free"
    Room.objects.filter(pk=room.pk).update(capacity=2)
    assert state(client, room) == "full"
    messaging.leave(room.pk, bob)
    assert state(client, room) == "free"
    messaging.close_room(room.pk, alice)
    assert state(client, room) == "closed"


def test_who_is_in_by_now_is_led_in(client, bob, room):
    answer = enter(client, bob).get(f"/rooms/{room.pk}/entrance/")
    assert answer.url == f"/rooms/{room.pk}/"


def test_a_look_at_the_entrance_is_cheap(client, charlie, room, django_assert_num_queries):
    enter(client, charlie).get(f"/rooms/{room.pk}/entrance/")
    with django_assert_num_queries(3):  # me, the room, whether I am in it
        client.get(f"/rooms/{room.pk}/entrance/")
