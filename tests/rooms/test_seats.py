"""A crowd at the door never oversubscribes a room: 200 people, 50 seats, two processes."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager

import pytest
from django.db import connection, transaction

from accounts.models import User
from messaging import services
from rooms import services as rooms
from rooms.models import Membership, Room

CROWD, SEATS, ROUNDS = 200, 50, 20


@pytest.fixture
def crowd_ids(transactional_db):
    people = [User(email=f"guest{i}@example.com", display_name=f"Guest {i}") for i in range(CROWD)]
    return [user.pk for user in User.objects.bulk_create(people)]


@pytest.fixture
def owner(transactional_db):
    return User.objects.create_user("alice@example.com", display_name="Alice")


def environment(**changes: str) -> dict[str, str]:
    params = connection.get_connection_params()
    url = f"postgresql:///{params['dbname']}?host={params['host']}&user={params['user']}"
    return {**os.environ, "DATABASE_URL": url, **changes}


def script(name: str, *args: object, **changes: str) -> subprocess.Popen:
    command = [sys.executable, "-m", f"tests.rooms.{name}", *map(str, args)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env=environment(**changes), **pipes)


@contextmanager
def ended(process: subprocess.Popen):
    """With the block."""
    try:
        yield process
    finally:
        process.communicate(timeout=30)


@contextmanager
def processes(**changes: str):
    with ended(script("crowd", **changes)) as one, ended(script("crowd", **changes)) as other:
        for process in (one, other):
            assert process.stdout.readline() == "ready\n"
        yield one, other


def all_join(running, room: Room, ids: list[int]) -> Counter:
    """Half of the crowd comes to each process, at the same time."""
    half = len(ids) // 2
    for process, share in zip(running, (ids[:half], ids[half:]), strict=True):
        process.stdin.write(f"{room.pk} {share[0]} {share[-1]}\n")
        process.stdin.flush()
    return sum((Counter(json.loads(process.stdout.readline())) for process in running), Counter())


def check(room: Room, outcome: Counter) -> None:
    room.refresh_from_db()
    members = Membership.objects.filter(room=room).count()
    assert members == room.personnel == SEATS
    # The owner sits already, so one seat less is given away.
    assert outcome == {"seated": SEATS - 1, "room_full": CROWD - SEATS + 1}
    entered = list(room.events.order_by("seq").values_list("seq", "kind"))
    assert entered == [(seq, "enter") for seq in range(1, SEATS + 1)]


def test_with_the_lock_exactly_as_many_as_seats_get_in(owner, crowd_ids):
    with processes() as running:
        for _ in range(ROUNDS):
            room = services.open_room(owner, title="Concert", capacity=SEATS)
            check(room, all_join(running, room, crowd_ids))


def test_without_redis_it_is_still_exact(owner, crowd_ids):
    with processes(REDIS_URL="redis://127.0.0.1:1") as running:
        for _ in range(ROUNDS):
            room = services.open_room(owner, title="Concert", capacity=SEATS)
            check(room, all_join(running, room, crowd_ids))


def test_a_killed_holder_keeps_neither_the_lock_nor_a_seat(owner, crowd_ids):
    with processes() as running, ended(script("holder")) as holders:
        for _ in range(ROUNDS):
            room = services.open_room(owner, title="Concert", capacity=SEATS)
            kill_holder(holders, room, crowd_ids[0])
            check(room, all_join(running, room, crowd_ids))


def kill_holder(holders: subprocess.Popen, room: Room, user_id: int) -> None:
    """`kill -9` of a process that has the lock and a seat, as soon as it has them."""
    holders.stdin.write(f"{room.pk} {user_id}\n")
    holders.stdin.flush()
    said, pid = holders.stdout.readline().split()
    assert said == "held"
    os.kill(int(pid), signal.SIGKILL)


@pytest.mark.django_db
def test_who_has_a_seat_is_passed_over_the_owner_sits_as_one_and_nobody_has_missed_a_thing():
    owner, bob, charlie, dana = (
        User.objects.create(email=f"{name}@example.com", display_name=name)
        for name in ("owner", "bob", "charlie", "dana")
    )
    room = rooms.create(owner_id=owner.pk, title="Tea", capacity=3)
    Room.objects.filter(pk=room.pk).update(last_seq=7)
    with transaction.atomic():
        assert rooms.seat(room.pk, [bob.pk]) == ([bob.pk], [])
        come = [charlie.pk, bob.pk, owner.pk, dana.pk]
        assert rooms.seat(room.pk, come) == ([charlie.pk, owner.pk], [dana.pk])
    room.refresh_from_db()
    assert room.personnel == 3
    seats = set(room.memberships.values_list("user_id", "role", "read_seq"))
    assert seats == {(bob.pk, "member", 7), (charlie.pk, "member", 7), (owner.pk, "owner", 7)}
