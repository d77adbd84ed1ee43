"""What staff do to rooms in the admin: it is the services' doing, and on the trail."""

import pytest
from django.core.exceptions import PermissionDenied

from accounts.models import User
from messaging import services
from messaging.models import Event
from rooms.models import Membership, Room
from tests.interfaces.admin.conftest import history_of, signed_in


def page(room, step="change", *more):
    return "/".join(["/admin/rooms/room", str(room.pk), step, *map(str, more)]) + "/"


def test_a_room_is_closed_and_opened_again_and_its_history_says_so(sam, room):
    client = signed_in(sam)
    assert b"Yes, do it" in client.get(page(room, "close")).content
    client.post(page(room, "close"))
    room.refresh_from_db()
    assert room.is_closed
    client.post(page(room, "reopen"))
    room.refresh_from_db()
    assert not room.is_closed
    assert history_of(client, room) == ["closed", "reopened"]


def test_asking_to_close_changes_nothing(sam, room):
    signed_in(sam).get(page(room, "close"))
    room.refresh_from_db()
    assert not room.is_closed


def test_a_room_is_changed_and_never_gets_fewer_seats_than_members(sam, room):
    client = signed_in(sam)
    fields = {"title": "Coffee", "description": "", "capacity": 1}
    answer = client.post(page(room, "edit"), fields)
    assert answer.status_code == 200
    assert "There are already 2 members." in answer.content.decode()
    assert Room.objects.get(pk=room.pk).title == "Tea"
    assert client.post(page(room, "edit"), fields | {"capacity": 2}).status_code == 302
    changed = Room.objects.get(pk=room.pk)
    assert (changed.title, changed.capacity) == ("Coffee", 2)
    assert history_of(client, room)[0].startswith("changed title to 'Coffee'")


def test_a_member_becomes_the_owner(sam, room, bob, charlie):
    client = signed_in(sam)
    client.post(page(room, "transfer", bob.pk))
    assert Room.objects.get(pk=room.pk).owner == bob
    answer = client.post(page(room, "transfer", charlie.pk))
    assert "Only a member can become the owner." in answer.content.decode()
    assert Room.objects.get(pk=room.pk).owner == bob
    assert history_of(client, room) == [f"made Bob ({bob.pk}) the owner"]


def test_a_member_is_removed_and_the_log_says_so(sam, room, bob):
    client = signed_in(sam)
    assert client.get(page(room, "remove", bob.pk)).status_code == 200
    assert Membership.objects.filter(room=room, user=bob).exists()
    client.post(page(room, "remove", bob.pk))
    assert not Membership.objects.filter(room=room, user=bob).exists()
    line = Event.objects.filter(room=room).latest("seq")
    assert (line.kind, line.sender, line.body) == ("leave", bob, "removed")
    assert history_of(client, room) == [f"removed Bob ({bob.pk})"]


def test_many_rooms_are_closed_after_a_confirmation(sam, alice, room):
    other = services.open_room(alice, title="Milk")
    client = signed_in(sam)
    chosen = {"action": "close", "_selected_action": [room.pk, other.pk]}
    asked = client.post("/admin/rooms/room/", chosen)
    assert "Tea" in asked.content.decode() and "Milk" in asked.content.decode()
    assert not Room.objects.exclude(closed_at=None).exists()
    client.post("/admin/rooms/room/", chosen | {"confirmed": "yes"})
    assert Room.objects.exclude(closed_at=None).count() == 2


def test_the_room_page_shows_members_and_nothing_of_what_was_said(sam, room, bob):
    from messaging.log.event import Person

    services.post(room.pk, Person(bob.pk, "Bob"), "between us")
    answer = signed_in(sam).get(page(room)).content.decode()
    assert "bob@example.com" in answer
    assert "between us" not in answer


def test_the_page_of_a_room_takes_no_post(boss, room):
    assert signed_in(boss).post(page(room), {"title": "x"}).status_code == 405


@pytest.mark.parametrize("step", ["edit", "close", "reopen", "export"])
def test_who_may_only_look_sees_no_button_and_is_refused(viewer, room, step):
    client = signed_in(viewer)
    shown = client.get(page(room)).content.decode()
    assert "Tea" in shown and f"/{step}/" not in shown
    assert b'name="action"' not in client.get("/admin/rooms/room/").content
    assert client.get(page(room, step)).status_code == 403
    assert client.post(page(room, step), {"shape": "csv"}).status_code == 403


def test_who_has_no_right_sees_no_rooms(pat, room):
    assert signed_in(pat).get("/admin/rooms/room/").status_code == 403
    assert signed_in(pat).get(page(room)).status_code == 403


def test_charlie_is_sent_to_sign_in(charlie, room):
    answer = signed_in(charlie).get(page(room))
    assert answer.status_code == 302 and "/admin/login/" in answer["Location"]


@pytest.mark.parametrize(
    "query, titles",
    [
        ("state=open", {"Tea", "Two"}),
        ("state=closed", {"Shut"}),
        ("seats=full", {"Two"}),
        ("seats=empty", {"Shut"}),
        ("active=hour", {"Tea", "Two", "Shut"}),
        ("q=te", {"Tea"}),
        ("q=alice", {"Tea", "Two", "Shut"}),
        ("state=nonsense&seats=nonsense&active=nonsense", {"Tea", "Two", "Shut"}),
    ],
)
def test_rooms_are_found_by_filters_and_words(sam, alice, room, query, titles):
    services.open_room(alice, title="Two", capacity=1)
    shut = services.open_room(alice, title="Shut", seat_owner=False)
    services.close_room(shut.pk, by=alice)
    found = signed_in(sam).get(f"/admin/rooms/room/?{query}").context["cl"].result_list
    assert {room.title for room in found} == titles


def queries_of(django_assert_max_num_queries, client, url):
    with django_assert_max_num_queries(20) as seen:
        assert client.get(url).status_code == 200
    return len(seen)


def test_the_list_asks_as_often_for_forty_rooms_as_for_one(
    sam, alice, room, django_assert_max_num_queries
):
    client = signed_in(sam)
    client.get("/admin/rooms/room/")
    few = queries_of(django_assert_max_num_queries, client, "/admin/rooms/room/")
    for number in range(39):
        owner = User.objects.create_user(f"owner{number}@example.com", display_name="O")
        services.open_room(owner, title=f"Room {number}")
    assert queries_of(django_assert_max_num_queries, client, "/admin/rooms/room/") == few


def test_a_room_page_asks_as_often_for_fifty_members_as_for_two(
    sam, room, django_assert_max_num_queries
):
    client = signed_in(sam)
    client.get(page(room))
    few = queries_of(django_assert_max_num_queries, client, page(room))
    Room.objects.filter(pk=room.pk).update(capacity=100, personnel=52)
    people = [User(email=f"m{n}@example.com", display_name=f"M{n}") for n in range(50)]
    Membership.objects.bulk_create(
        Membership(room=room, user=one) for one in User.objects.bulk_create(people)
    )
    assert queries_of(django_assert_max_num_queries, client, page(room)) == few


def test_the_export_is_for_those_who_manage_the_room(room, bob, charlie, viewer):
    for nobody in (bob, charlie, viewer):
        with pytest.raises(PermissionDenied):
            services.export_log(room.pk, nobody, "csv")
