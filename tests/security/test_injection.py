"""A text is a text to every store, and a filter finds what it names: no client's word is code."""

from urllib.parse import quote

import pytest

from accounts.models import User
from messaging.models import Event
from rooms.models import Room
from tests.interfaces.admin.conftest import signed_in, staff
from tests.interfaces.graphql.conftest import Asker

INJECTIONS = [
    "'; DROP TABLE rooms_room; --",
    '" OR ""="',
    "1) OR 1=1 --",
    "%' OR title LIKE '%",
    "$$; SELECT pg_sleep(5); $$",
    '{"$gt": ""}',
    '{"$where": "sleep(5000)"}',
    "'; return true; var x='",
    "__proto__",
    "%s %(title)s {0} %n ${7*7} {{7*7}}",
    "(a+)+$",
    "\\",
    "*)(objectClass=*",
    "\r\nSET x y\r\nFLUSHALL\r\n",
    "../../../etc/passwd",
]


@pytest.mark.parametrize("text", INJECTIONS)
def test_a_search_finds_what_holds_the_text_and_nothing_else(room, as_bob, alice, text):
    """Alice's "Tea" holds none of it. What can't be a search is refused, and not a fault."""
    held = quote(text)
    answer = as_bob("GET", f"rooms/?q={held}&state=all")
    if answer.status_code == 200:
        assert answer.json()["results"] == []
    else:
        assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert "Tea" not in as_bob.client.get(f"/lobby/rooms/?q={held}").content.decode()
    found = Asker(alice)("query ($q: String) { rooms(search: $q) { edges { cursor } } }", q=text)
    assert found.status == 200 and not (found.body["data"]["rooms"] or {}).get("edges")


@pytest.mark.parametrize("wild", ["%", "_", "T_a", "T%a", "\\%"])
def test_what_stands_for_any_letter_elsewhere_stands_for_itself(room, as_bob, wild):
    assert as_bob("GET", f"rooms/?q={quote(wild)}").json()["results"] == []


@pytest.mark.parametrize(
    "lookup",
    [
        "owner__password__startswith=argon2", "owner__email__contains=a", "owner=1",
        "members__user__password__regex=^a", "title__regex=(a%2B)%2B$", "pk__in=1,2", "order=pk",
        "ordering=-owner__password", "fields=password", "include=owner.email", "expand=owner",
    ],
)  # fmt: skip
def test_no_parameter_reaches_into_the_tables(room, as_charlie, lookup):
    """The same answer as without it, whether or not what it asks for is so."""
    plain = as_charlie("GET", "rooms/")
    assert as_charlie("GET", f"rooms/?{lookup}").content == plain.content
    assert "argon2" not in plain.content.decode() and "@" not in plain.content.decode()


@pytest.mark.parametrize(
    "path",
    [
        "rooms/room/?owner__password__startswith=argon2",
        "rooms/room/?owner__email__startswith=alice",
        "rooms/room/?members__user__password__startswith=a",
        "accounts/user/?password__startswith=argon2",
        "accounts/user/?devices__refresh__startswith=a",
        "accounts/user/?user_permissions__user__password__startswith=a",
    ],
)
def test_not_even_staff_find_out_a_hash_letter_by_letter(room, alice, path):
    sam = staff("sam", "view_room", "change_room", "view_user", "change_user")
    answer = signed_in(sam).get(f"/admin/{path}")
    assert answer.status_code in (302, 400)
    if answer.status_code == 302:
        assert answer["Location"].endswith("?e=1")


BODIES = [
    ("tokens/", {"email": {"$gt": ""}, "password": {"$gt": ""}}),
    ("tokens/", {"email": ["alice@example.com"], "password": [""]}),
    ("tokens/", {"email": "alice@example.com' --", "password": "x"}),
    ("tokens/", {"email": "alice@example.com", "password": "' OR '1'='1"}),
    ("tokens/", {"email": "%", "password": "%"}),
    ("tokens/refresh/", {"refresh": {"$ne": None}}),
]


@pytest.mark.parametrize("path, body", BODIES)
def test_nothing_but_the_password_signs_in(as_nobody, alice, path, body):
    answer = as_nobody("POST", path, body)
    assert answer.status_code in (400, 401) and "access" not in answer.json()


def test_each_is_kept_as_it_was_typed_and_does_nothing(room, as_alice, alice):
    for number, text in enumerate(INJECTIONS):
        line = " ".join(text.split())
        if line == text:
            made = as_alice("POST", "rooms/", {"title": text, "description": text})
            assert made.status_code == 201, made.content
            assert (made.json()["title"], made.json()["description"]) == (text, text)
            if len(text) <= 40:
                named = as_alice("PATCH", "me/", {"display_name": text})
                assert named.json()["display_name"] == text
        cid = f"0e4a7c1e-1d4e-4a43-a5a5-0000000000{number:02}"
        said = as_alice("POST", f"rooms/{room.pk}/events/", {"cid": cid, "body": text})
        assert said.status_code == 201, said.content
    kept = Event.objects.filter(room_id=room.pk, kind="message").order_by("seq")
    assert [line.body for line in kept] == [
        text.replace("\r\n", "\n").strip() for text in INJECTIONS
    ]
    assert Room.objects.filter(title="Tea").exists() and User.objects.exists()
