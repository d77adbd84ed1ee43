"""A few people, rooms and some history to look at: `manage.py up --demo`.

Everything comes in by the doors people use; only the times of the history are set back.
"""

from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.db.models import F, Value
from django.utils import timezone

from accounts.models import User
from messaging import log, services
from messaging.models import Event
from rooms.models import Room

Names = tuple[str, ...]

PASSWORD = "open the door"
PEOPLE = {"alice": "Alice", "bob": "Bob", "jiwoo": "지우", "minjun": "민준", "dana": "Dana"}
ROOMS = [
    ("Seoul coffee", "Where to sit, what to drink.", 50, "jiwoo", ("alice", "bob", "minjun")),
    ("파이썬 스터디", "매주 목요일, 함께 읽고 함께 만들어요.", 20, "minjun", ("jiwoo", "alice")),
    ("Night owls", "Awake? So are we.", 200, "alice", ("bob", "dana", "jiwoo", "minjun")),
    ("Table for two", "Exactly two seats.", 2, "bob", ("dana",)),
]
TALK = {
    "Seoul coffee": [
        ("jiwoo", "Good morning! Who is up for the new place in Seongsu?"),
        ("alice", "Me! Is it the one with the courtyard?"),
        ("jiwoo", "네, 바로 거기예요. 자리가 많지 않아서 일찍 가야 해요."),
        ("bob", "I can be there at ten."),
        ("minjun", "저도 갈게요 ☕"),
        ("alice", "Ten it is. I'll get the long table."),
    ],
    "파이썬 스터디": [
        ("minjun", "이번 주는 asyncio를 읽습니다."),
        ("jiwoo", "예제 코드는 어디에 올릴까요?"),
        ("minjun", "여기에 붙여 주세요:\nasync with asyncio.timeout(3):\n    await answer"),
        ("alice", "Is it fine if I follow along in English?"),
        ("jiwoo", "Of course!"),
    ],
    "Night owls": [
        ("alice", "It's 2 a.m. and the deploy is green."),
        ("dana", "Then why are you awake?"),
        ("alice", "To watch it stay green."),
        ("bob", "🦉"),
    ],
    "Table for two": [("bob", "We are full now."), ("dana", "Cosy.")],
}
MINUTES_APART = 7


def check() -> None:
    if not settings.DEBUG:
        raise ImproperlyConfigured("--demo makes accounts with a known password: only with DEBUG.")


def fill() -> str:
    """Make what is missing of it, beside whatever else there is. Says what became of it."""
    check()
    people = {name: _person(name, shown) for name, shown in PEOPLE.items()}
    ours = {name: user for name, user in people.items() if user.check_password(PASSWORD)}
    made = [one for one in ROOMS if one[3] in ours and _open(ours, *one)]
    said = "filled in" if made else "here from an earlier start"
    names = ", ".join(user.email for user in ours.values())
    told = [f"The demo is {said}. "]
    told += [f'Sign in as {names} with "{PASSWORD}"'] if ours else []
    if others := [user.email for name, user in people.items() if name not in ours]:
        told.append(f"; {', '.join(others)}: with a password of their own, and left as they are")
    return "".join(told)


def _person(name: str, shown: str) -> User:
    email = f"{name}@example.com"
    existing = User.objects.filter(email=email).first()
    return existing or User.objects.create_user(email, PASSWORD, display_name=shown)


def _open(
    people: dict[str, User], title: str, about: str, capacity: int, owner: str, members: Names
) -> bool:
    """Nothing for somebody who has a room already: theirs was made, whatever it is called now."""
    if Room.objects.filter(owner=people[owner]).exists():
        return False
    room = services.open_room(people[owner], title=title, description=about, capacity=capacity)
    for member in members:
        if member in people:
            services.join(room.pk, people[member])
    _talk(room, [(people[name], body) for name, body in TALK[title] if name in people])
    return True


def _talk(room: Room, lines: list[tuple[User, str]]) -> None:
    with transaction.atomic():
        # Told to nobody: it is set back in time below, and a socket would show it as new.
        for user, body in lines:
            log.append(room.pk, "message", [user.pk], body)
        start = timezone.now() - timedelta(minutes=MINUTES_APART * (len(lines) + 1))
        stored = Event.objects.filter(room=room)
        stored.update(created_at=Value(start) + F("seq") * Value(timedelta(minutes=1)))
        end = stored.latest("seq").created_at
        Room.objects.filter(pk=room.pk).update(last_event_at=end, active_at=end)
