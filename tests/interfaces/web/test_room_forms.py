"""The forms that open, change and close a room."""

import pytest
from django.utils import timezone

from messaging import services as messaging
from messaging.models import Event
from rooms.models import Membership, Room

pytestmark = pytest.mark.django_db

FORM = {"title": "Tea", "description": "Green and black", "capacity": "12"}


def enter(client, person):
    client.force_login(person, "django.contrib.auth.backends.ModelBackend")


@pytest.fixture
def room(transactional_db, alice, bob):
    room = messaging.open_room(alice, title="Tea", description="", capacity=3)
    messaging.join(room.pk, bob)
    return room


def test_who_opens_a_room_sits_in_it_as_its_owner(client, alice):
    enter(client, alice)
    answer = client.post("/rooms/new/", FORM)
    room = Room.objects.get()
    assert answer.url == f"/rooms/{room.pk}/"
    assert (room.title, room.capacity, room.personnel) == ("Tea", 12, 1)
    seat = Membership.objects.get()
    assert (seat.user, seat.role) == (alice, Membership.Role.OWNER)
    assert list(Event.objects.values_list("seq", "kind")) == [(1, "enter")]


def test_a_title_is_composed_and_trimmed(client, alice):
    enter(client, alice)
    client.post("/rooms/new/", FORM | {"title": "  \u1100\u1175\u11b7   tea "})
    assert Room.objects.get().title == "김 tea"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("title", "\u3164"),
        ("title", "a\x00b"),
        ("title", "\u202eaet"),
        ("title", "x" * 81),
        ("description", "x" * 501),
        ("description", "\x00"),
        ("capacity", ""),
        ("capacity", "0"),
        ("capacity", "-1"),
        ("capacity", "10001"),
        ("capacity", "9" * 30),
        ("capacity", "many"),
    ],
)
def test_what_cannot_be_stands_at_its_field(client, alice, field, value):
    enter(client, alice)
    answer = client.post("/rooms/new/", FORM | {field: value})
    assert answer.status_code == 200
    assert list(answer.context["form"].errors) == [field]
    assert f'id="id_{field}_error"' in answer.content.decode()
    assert not Room.objects.exists()


@pytest.mark.parametrize("capacity", ["0", "-1", "10001", "9" * 30, "many"])
def test_a_wrong_number_of_seats_is_told_in_one_sentence(client, alice, capacity):
    enter(client, alice)
    answer = client.post("/rooms/new/", FORM | {"capacity": capacity})
    assert answer.context["form"].errors["capacity"] == ["Enter a number from 1 to 10,000."]


def test_the_owner_changes_title_description_and_seats(client, alice, room):
    enter(client, alice)
    assert client.post(f"/rooms/{room.pk}/edit/", FORM).url == f"/rooms/{room.pk}/"
    room.refresh_from_db()
    assert (room.title, room.description, room.capacity) == ("Tea", "Green and black", 12)


def test_there_are_never_fewer_seats_than_members(client, alice, room):
    enter(client, alice)
    answer = client.post(f"/rooms/{room.pk}/edit/", FORM | {"title": "Coffee", "capacity": "1"})
    assert list(answer.context["form"].errors) == ["capacity"]
    assert "Coffee" not in answer.context["room"].title
    room.refresh_from_db()
    assert (room.title, room.capacity) == ("Tea", 3)


@pytest.mark.parametrize("door", ["edit", "close", "reopen"])
@pytest.mark.parametrize("who", ["bob", "charlie"])
def test_others_change_nothing(client, request, room, door, who):
    enter(client, request.getfixturevalue(who))
    assert client.post(f"/rooms/{room.pk}/{door}/", FORM | {"title": "Mine"}).status_code == 403
    room.refresh_from_db()
    assert (room.title, room.is_closed) == ("Tea", False)


@pytest.mark.parametrize("door", ["edit", "close"])
def test_a_stranger_has_to_sign_in_first(client, room, door):
    answer = client.post(f"/rooms/{room.pk}/{door}/", FORM)
    assert answer.url == f"/accounts/sign-in/?next=/rooms/{room.pk}/{door}/"
    room.refresh_from_db()
    assert not room.is_closed


def test_the_owner_closes_it_once(client, alice, room):
    enter(client, alice)
    for _ in range(2):
        assert client.post(f"/rooms/{room.pk}/close/").url == "/"
    room.refresh_from_db()
    assert room.closed_at <= timezone.now()
    assert Event.objects.filter(kind="close").count() == 1
    assert client.get(f"/rooms/{room.pk}/edit/").status_code == 404


@pytest.mark.parametrize("door", ["edit", "close", "reopen"])
@pytest.mark.parametrize("number", [999_999, 10**25])
def test_a_room_that_is_not_there_is_not_found(client, alice, door, number):
    enter(client, alice)
    assert client.post(f"/rooms/{number}/{door}/", FORM).status_code == 404


def about(client, room):
    """What the page of the conversation begins with, and then keeps in step itself."""
    return client.get(f"/rooms/{room.pk}/").context["start"]["about"]


def test_the_owner_opens_it_again(client, alice, room):
    enter(client, alice)
    client.post(f"/rooms/{room.pk}/close/")
    assert about(client, room)["closed"]
    assert client.post(f"/rooms/{room.pk}/reopen/").url == f"/rooms/{room.pk}/"
    room.refresh_from_db()
    assert not room.is_closed
    assert not about(client, room)["closed"]


def test_an_owner_without_a_seat_is_told_that_it_is_open_again(client, alice, room):
    messaging.leave(room.pk, alice)
    messaging.close_room(room.pk, alice)
    enter(client, alice)
    entrance = client.post(f"/rooms/{room.pk}/reopen/", follow=True)
    assert [str(told) for told in entrance.context["messages"]] == ["The room is open again."]
    assert 'data-state="free"' in entrance.content.decode()


def test_closing_takes_a_post(client, alice, room):
    enter(client, alice)
    assert client.get(f"/rooms/{room.pk}/close/").status_code == 405


def test_titles_are_text_never_markup(client, alice, room):
    Room.objects.update(title="<script>alert(1)</script>")
    enter(client, alice)
    for address in ("/", f"/rooms/{room.pk}/edit/", "/lobby/mine/", "/lobby/rooms/"):
        page = client.get(address).content.decode()
        assert "&lt;script&gt;alert(1)" in page
        assert "<script>alert" not in page
