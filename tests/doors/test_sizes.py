"""Every answer of every door is bounded: rooms full of the longest that may be said and written."""

import json

import pytest
from django.test import Client

from accounts.models import User
from messaging import log, services
from messaging.live.frames import RESUME_BYTES_MAX
from messaging.models import Event
from rooms.models import Membership, Room
from tests.interfaces.original.page import token_of
from tests.interfaces.socket.client import socket
from tests.messaging.conftest import closed_node  # noqa: F401  (for every test)
from tests.routes import path_of, routes

MOST = 512 * 1024
ROOMS, PEOPLE, LINES = 1_000, 600, 520
ASKED = ("", "?limit=100", "?after=0&limit=100", "?size=500", "?page=2", "?mine=true&limit=100")
BACKEND = "django.contrib.auth.backends.ModelBackend"
# What takes most in UTF-8; in a page; in JSON; and in JSON that is read as a script.
WIDE = ("😀", '"', "<", "\\")


def full(alice, bob, character):
    """A room with many members and long lines, and many rooms of bob's, all with the longest
    words."""
    room = services.open_room(alice, title="Tea", capacity=10_000)
    services.join(room.pk, bob)
    crowd = User.objects.bulk_create(
        User(email=f"{'x' * 200}{n}@example.com", display_name=character * 40)
        for n in range(PEOPLE)
    )
    Membership.objects.bulk_create(Membership(room=room, user=one) for one in crowd)
    log.append(room.pk, "message", [alice.pk] * LINES, character * 4_000)
    more = Room.objects.bulk_create(Room(title="x", owner=alice) for _ in range(ROOMS))
    Membership.objects.bulk_create(Membership(room=one, user=bob) for one in more)
    Room.objects.update(title=character * 80, description=character * 500)
    return room


@pytest.fixture(params=WIDE)
def room(request, transactional_db, alice, bob, settings):
    settings.API_RATE = 1_000_000
    alice.is_staff = alice.is_superuser = True
    alice.save()
    return full(alice, bob, request.param)


def sizes(room, user):
    """How large each answer is, by its address."""
    client = Client()
    client.force_login(user, BACKEND)
    client.cookies["Authorization"] = f"Bearer%20{token_of(user)}"
    numbers = dict.fromkeys(("room_id", "chat_id", "object_id"), room.pk)
    found = {}
    for route in sorted(set(routes())):
        if not (path := path_of(route, numbers)) or "sign-out" in route:
            continue
        for query in ASKED:
            answer = client.get(path + query)
            if not answer.streaming:
                found[path + query] = len(answer.content)
    return found


def test_no_answer_of_any_route_is_larger_than_half_a_mebibyte(room, alice, bob):
    for user in (alice, bob):
        found = sizes(room, user)
        assert {path: size for path, size in found.items() if size > MOST} == {}
        large = {path.partition("?")[0] for path, size in found.items() if size > 40_000}
        assert f"/api/open-chats/read/{room.pk}" in large or user is alice
        assert f"/api/v1/rooms/{room.pk}/events/" in large
        assert f"/rooms/{room.pk}/" in large


@pytest.mark.parametrize("character", WIDE)
async def test_no_frame_and_no_catch_up_is_larger(people, character, settings):
    from asgiref.sync import sync_to_async

    settings.FRAME_BURST = 1_000_000
    room = await sync_to_async(full)(people["alice"], people["bob"], character)
    head = await sync_to_async(lambda: Event.objects.filter(room=room).count())()
    ids = await sync_to_async(lambda: list(Room.objects.values_list("pk", flat=True)))()
    async with socket(people["bob"]) as client:
        for after, is_told in (
            (0, False),
            (head - 5, True),
            (head - 30, True),
            (head - 400, False),
        ):
            answer = await client.subscribe(room, after=after)
            assert answer["recovered"] is is_told
            told = 0
            if is_told:
                events = await client.events(head - after)
                told = sum(len(json.dumps(one, ensure_ascii=False).encode()) for one in events)
            assert told <= RESUME_BYTES_MAX
        await client.send("watch", rooms=[*ids[:199], room.pk])
        assert len(json.dumps(await client.next("watching", "nack"))) <= MOST


@pytest.fixture
def people(transactional_db):
    return {
        name: User.objects.create_user(f"{name}@example.com", display_name=name.title())
        for name in ("alice", "bob")
    }
