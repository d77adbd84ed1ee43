"""What nobody may set, nobody sets; what nobody may know, nobody is told."""

import json

import pytest

from accounts.models import User
from messaging.models import Event
from rooms.models import Membership, Room
from tests.interfaces.graphql.conftest import Asker
from tests.security.test_shapes import CID

SECRETS = {"email": "alice@example.com", "phone": "+82 10 9999 8888", "password": "argon2"}
MINE = {
    "id": 999, "pk": 999, "user": 1, "user_id": 1, "sender": 1, "owner": 1, "role": "owner",
    "is_staff": True, "is_superuser": True, "is_active": False, "groups": [1], "seq": 999,
    "at": "2001-01-01T00:00:00Z", "created_at": "2001-01-01T00:00:00Z", "last_seq": 999,
    "closed_at": "2001-01-01T00:00:00Z", "personnel": 999, "read_seq": 999, "kind": "close",
    "date_joined": "2001-01-01T00:00:00Z", "user_permissions": [1], "sign_outs": 9, "room": 999,
    "__proto__": {"is_staff": True}, "constructor": {"prototype": {}},
}  # fmt: skip


@pytest.fixture
def alice(alice):
    alice.phone = SECRETS["phone"]
    alice.set_password("a long and quiet evening")
    alice.save()
    return alice


def state(*but):
    rows = {
        "users": User.objects.order_by("pk").values(),
        "rooms": Room.objects.order_by("pk").values(),
        "seats": Membership.objects.order_by("pk").values(),
    }
    kept = {name: list(found) for name, found in rows.items()}
    for row in [row for found in kept.values() for row in found]:
        for name in but:
            row.pop(name, None)
    return kept


@pytest.mark.parametrize(
    "method, path, body, changes",
    [
        ("PATCH", "me/", {"display_name": "Bob"}, ()),
        ("PUT", "rooms/{room}/membership/", {}, ()),
        ("PUT", "rooms/{room}/read/", {}, ()),
        (
            "POST",
            "rooms/{room}/events/",
            {"cid": CID, "body": "hi"},
            ("last_seq", "last_event_at", "active_at"),
        ),
    ],
)
def test_what_is_not_theirs_to_say_changes_nothing(room, as_bob, method, path, body, changes):
    before = state(*changes)
    mine = {name: value for name, value in MINE.items() if name not in body}
    if path.endswith("/read/"):
        mine["seq"] = 0
    answer = as_bob(method, path.format(room=room.pk), mine | body)
    assert answer.status_code in (200, 201), answer.content
    assert state(*changes) == before


def test_a_line_of_the_log_is_its_senders_at_its_time_and_place(room, as_bob, bob):
    said = as_bob("POST", f"rooms/{room.pk}/events/", MINE | {"cid": CID, "body": "hi"})
    line = Event.objects.get(room_id=room.pk, seq=said.json()["seq"])
    assert (line.sender_id, line.kind, line.body) == (bob.pk, "message", "hi")
    assert line.seq < 999 and line.created_at.year > 2001


def test_a_new_account_has_no_rights(as_nobody):
    asked = {"email": "m@example.com", "password": "a long and quiet evening", "display_name": "M"}
    assert as_nobody("POST", "accounts/", MINE | asked).status_code == 201
    made = User.objects.get(email="m@example.com")
    assert made.pk != 999 and made.is_active
    assert not (made.is_staff or made.is_superuser or made.groups.exists())


GETS = [
    "rooms/", "rooms/?q=tea&mine=true&state=all", "rooms/{room}/", "rooms/{room}/members/",
    "rooms/{room}/events/", "rooms/{room}/participants/", "rooms/{room}/missed/",
    "rooms/{room}/membership/", "unread/", "me/", "devices/",
]  # fmt: skip
CARD = """{ room(number: %d) { title owner members { edges { node { person { id name } role } } }
            events { edges { node { seq kind body sender { id name } } } } } }"""


def test_nobody_is_told_what_is_anothers_alone(room, as_bob, bob, say, alice):
    say(room, alice, "hello")
    told = [as_bob("GET", path.format(room=room.pk)) for path in GETS]
    assert [answer.status_code for answer in told] == [200] * len(GETS)
    answers = [answer.content.decode() for answer in told]
    answers += [json.dumps(Asker(bob)(CARD % room.pk).body)]
    page = as_bob.client
    for path in (f"/rooms/{room.pk}/", f"/rooms/{room.pk}/members/", "/", "/lobby/mine/"):
        answers.append(page.get(path).content.decode())
    assert sum("Alice" in answer for answer in answers) > 5
    for answer in answers:
        for what, secret in SECRETS.items():
            assert secret not in answer, what
        assert "127.0.0.1" not in answer.replace("http://testserver", "")
