"""The lobby as the server renders it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from messaging import log
from messaging import services as messaging
from rooms.models import Membership, Room

pytestmark = pytest.mark.django_db


def enter(client, person):
    client.force_login(person, "django.contrib.auth.backends.ModelBackend")
    return client


def opened(owner, number):
    return [messaging.open_room(owner, title=f"Room {n}", capacity=50) for n in range(number)]


def titles(answer):
    return [room.title for room in answer.context["rooms"]]


def test_a_stranger_is_told_what_this_is_and_sees_no_room(client, alice):
    opened(alice, 1)
    page = client.get("/").content.decode()
    assert "/accounts/sign-up/" in page
    assert "Room 0" not in page


@pytest.mark.parametrize("address", ["/lobby/mine/", "/lobby/rooms/"])
def test_the_lists_are_for_people_who_signed_in(client, alice, address):
    assert client.get(address).url == f"/accounts/sign-in/?next={address}"


def test_the_liveliest_room_comes_first_and_closed_ones_not_at_all(client, alice, bob):
    rooms = opened(alice, 3)
    for minutes, room in enumerate((rooms[1], rooms[2], rooms[0])):
        moment = timezone.now() - timedelta(minutes=minutes)
        Room.objects.filter(pk=room.pk).update(active_at=moment)
    messaging.close_room(rooms[2].pk, alice)
    assert titles(enter(client, bob).get("/")) == ["Room 1", "Room 0"]


def test_the_list_comes_by_the_page_of_twenty(client, alice, bob):
    opened(alice, 23)
    enter(client, bob)
    assert len(titles(client.get("/"))) == 20
    assert len(titles(client.get("/?page=2"))) == 3
    assert titles(client.get("/lobby/rooms/?page=2")) == titles(client.get("/?page=2"))


@pytest.mark.parametrize("page", ["0", "-1", "99", "x", "", "9" * 40, "\x00"])
def test_a_page_that_is_not_there_shows_one_that_is(client, alice, page):
    opened(alice, 1)
    assert titles(enter(client, alice).get("/", {"page": page})) == ["Room 0"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("tea", ["Green Tea"]),
        ("  green   tea ", ["Green Tea"]),
        ("%", []),
        ("\x00tea", ["Green Tea"]),
    ],
)
def test_rooms_are_found_by_a_part_of_their_title(client, alice, words, found):
    for title in ("Green Tea", "커피 모임"):
        messaging.open_room(alice, title=title)
    assert titles(enter(client, alice).get("/", {"q": words})) == found
    assert titles(client.get("/", {"q": "커피"})) == ["커피 모임"]


def test_an_endless_search_is_cut_not_refused(client, alice):
    assert enter(client, alice).get("/", {"q": "x" * 5_000}).status_code == 200


def test_a_full_room_says_so_and_offers_no_seat(client, alice, bob):
    room = messaging.open_room(alice, title="Small", capacity=1)
    page = enter(client, bob).get("/").content.decode()
    assert ">full<" in page
    assert "<span data-personnel>1</span>/1" in page
    assert f"/rooms/{room.pk}/join/" not in page


@pytest.mark.django_db(transaction=True)
def test_a_member_opens_and_a_newcomer_joins(client, alice, bob, charlie):
    room = opened(alice, 1)[0]
    messaging.join(room.pk, bob)
    join = f'action="/rooms/{room.pk}/join/"'
    assert join not in enter(client, bob).get("/").content.decode()
    assert join in enter(client, charlie).get("/").content.decode()


@pytest.mark.django_db(transaction=True)
def test_my_rooms_count_what_others_said_and_i_have_not_read(client, alice, bob, charlie):
    room, busy = opened(alice, 2)
    for each in (room, busy):
        messaging.join(each.pk, bob)
    log.append(room.pk, "message", [alice.pk] * 3 + [bob.pk], "hello")
    log.append(busy.pk, "message", [alice.pk] * 120, "hello")
    page = enter(client, bob).get("/lobby/mine/").content.decode()
    assert 'data-unread="3">3<' in page
    assert 'data-unread="100">99+<' in page
    assert "data-room" not in enter(client, charlie).get("/lobby/mine/").content.decode()


def test_my_rooms_carry_the_head_that_the_socket_is_compared_with(client, alice):
    room = opened(alice, 1)[0]
    page = enter(client, alice).get("/lobby/mine/", {"current": str(room.pk)}).content.decode()
    assert f'data-room="{room.pk}" data-head="1"' in page
    assert 'aria-current="page"' in page


@pytest.mark.parametrize("current", ["x", "<b>", "9" * 40, ""])
def test_any_word_for_the_current_room_is_harmless(client, alice, current):
    opened(alice, 1)
    answer = enter(client, alice).get("/lobby/mine/", {"current": current})
    assert answer.status_code == 200
    assert "aria-current" not in answer.content.decode()


@pytest.mark.parametrize("others", [1, 20])
def test_the_lobby_asks_as_often_for_thirty_rooms_as_for_a_few(
    client, alice, bob, others, django_assert_num_queries
):
    for room in opened(alice, others + 10)[:10]:
        Membership.objects.create(room=room, user=bob)
    enter(client, bob).get("/")
    # me, my rooms, unread, those that I opened, how many rooms, a page of them
    with django_assert_num_queries(6):
        assert client.get("/").status_code == 200
