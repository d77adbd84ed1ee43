"""Sending, reading and catching up over REST."""

from uuid import uuid4


def send(door, room, body="hello", cid=None):
    return door("POST", f"rooms/{room.pk}/events/", {"cid": str(cid or uuid4()), "body": body})


def test_a_message_is_created_once_repeated_after_and_never_another(as_bob, room):
    cid = uuid4()
    first, again = send(as_bob, room, cid=cid), send(as_bob, room, cid=cid)
    other = send(as_bob, room, "something else", cid)
    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 409)
    assert again.json() == first.json() | {"repeated": True}
    assert other.json()["code"] == "conflict"
    events = as_bob("GET", f"rooms/{room.pk}/events/?after=2").json()["results"]
    assert [(event["body"], event["cid"]) for event in events] == [("hello", str(cid))]


def test_charlie_can_neither_speak_nor_read(as_charlie, as_bob, room):
    send(as_bob, room, "between us")
    answers = [send(as_charlie, room)] + [
        as_charlie("GET", f"rooms/{room.pk}/{name}/")
        for name in ("events", "missed", "members", "participants", "membership")
    ]
    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (404, "not_member")
        assert "between us" not in answer.content.decode()
