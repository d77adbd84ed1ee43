"""One room, five doors, two processes: whatever is done at one is seen at once at all others.

alice is on the web page, bob on /ws/ by the client of Python, carol on REST, dave on STOMP 1.2 and
erin on the original's wire. frank finds no seat at any door.
"""

import re

import pytest
from chattalk_client import Refused
from playwright.sync_api import expect

from tests.doors.clients import until
from tests.doors.on_socket import OnSocket
from tests.doors.people import OnOriginal, OnRest, OnStomp, Talker
from tests.interfaces.web.conftest import browser, shot, visitors  # noqa: F401  (fixtures)
from tests.interfaces.web.talk import connected, messages, say

SEATS = 5


@pytest.fixture
def page(visitors, stack):  # noqa: F811
    """alice, in her browser; her room has five seats."""
    (alice,) = stack.people("alice")
    page = visitors.come(0, alice)
    page.goto("/rooms/new/")
    page.locator("[name=title]").fill("Five doors")
    page.locator("[name=capacity]").fill(str(SEATS))
    page.get_by_role("button", name="Open the room").click()
    page.wait_for_url(re.compile(r"/rooms/\d+/$"))
    connected(page)
    return page


@pytest.fixture
def room(page):
    return int(re.search(r"/rooms/(\d+)/$", page.url)[1])


@pytest.fixture
def come(stack):
    """Somebody new, at one of the doors of one of the processes."""
    came = []

    def come(kind, process, name):
        came.append(kind(stack.urls[process], name))
        return came[-1]

    yield come
    for one in came:
        one.go()


@pytest.fixture
def others(come, room):
    """bob, carol, dave and erin, on the two processes in turn."""
    people = (
        come(OnSocket, 1, "Bob"),
        come(OnRest, 0, "Carol"),
        come(OnStomp, 1, "Dave"),
        come(OnOriginal, 0, "Erin"),
    )
    for one in people:
        one.enter(room)
    return people


def everybody_heard(page, others, lines):
    expect(messages(page)).to_have_text(lines)
    for one in others:
        until(lambda one=one: len(one.heard()) >= len(lines), f"{one.name} did not hear all")
        assert one.heard() == lines, one.name


def test_what_is_said_at_one_door_is_heard_at_all_once_and_in_order(page, others, stack, room):
    lines = []
    for number in range(2):
        for one in others:
            lines.append(f"{one.name} says {number}")
            one.say(lines[-1])
        lines.append(f"alice says {number}")
        say(page, lines[-1])
        expect(messages(page)).to_have_text(lines)
    everybody_heard(page, others, lines)
    assert stack.run(stored, room) == lines


def stored(room_id):
    from messaging.models import Event

    said = Event.objects.filter(room_id=room_id, kind="message").order_by("seq")
    return list(said.values_list("body", flat=True))


def test_a_full_room_is_full_at_every_door(page, others, come, stack, room):
    expect(page.locator("#seat-count")).to_have_text("5 members")
    frank = come(Talker, 0, "Frank")
    refused = frank.rest("PUT", f"/api/v1/rooms/{room}/membership/")
    assert (refused.status, refused.json["code"]) == (409, "room_full")
    asked = {"query": f'mutation {{ incrementPersonnel(id: "{room}") {{ personnel }} }}'}
    answer = frank.rest("POST", "/graphql/", asked).json
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["room_full"]
    knock_by_stomp(come(OnStomp, 1, "Grace"), room)
    knock_by_the_original(come(OnOriginal, 0, "Heidi"), room)
    assert stack.run(personnel, room) == (SEATS, SEATS)


def knock_by_stomp(grace, room):
    grace.room = room
    grace.connect()
    grace.frame("SUBSCRIBE", {"id": "e", "destination": "/user/queue/errors"})
    grace.frame("SEND", {"destination": "/send/chat/enter", "receipt": "in"}, chatId=str(room))
    until(lambda: grace.frames("MESSAGE"), "Grace was not told")
    assert grace.frames("MESSAGE")[0][0]["code"] == "room_full"
    assert not grace.receipts("in")


def knock_by_the_original(heidi, room):
    heidi.room = room
    heidi.knock()
    until(lambda: heidi.messages("chat"), "Heidi was not told")
    (told,) = heidi.messages("chat")
    assert told["type"] == "MESSAGE"
    assert told["username"] == "ChatTalk", "it is the system that speaks"
    assert "full" in told["message"]


def personnel(room_id):
    from rooms.models import Membership, Room

    counted = Membership.objects.filter(room_id=room_id).count()
    return Room.objects.get(pk=room_id).personnel, counted


def test_who_is_here_is_the_same_at_every_door(page, others):
    bob, carol, dave, erin = others
    by_name = {"Alice", "Bob", "Dave", "Erin"}  # carol has no socket: she is seated, not here
    until(lambda: {name.capitalize() for name in bob.here()} == by_name)
    until(lambda: {name.capitalize() for name in carol.here()} == by_name)
    until(lambda: dave.here() == erin.here() == by_name)
    expect(page.locator("#here-count")).to_have_text("4 here")
    erin.wire.close()
    erin.people.close()
    until(lambda: len(bob.here()) == len(carol.here()) == len(dave.here()) == 3)
    expect(page.locator("#here-count")).to_have_text("3 here")


def test_a_seat_given_back_at_one_door_is_free_at_all(page, others, come, room):
    bob, carol, dave, erin = others
    dave.leave()
    expect(page.locator("#seat-count")).to_have_text("4 members")
    until(lambda: bob.events("leave"))
    until(lambda: any(one["type"] == "LEAVE" for one in erin.messages("chat")))
    frank = come(OnSocket, 0, "Frank")
    assert frank.join(room) == 201
    expect(page.locator("#seat-count")).to_have_text("5 members")
    bob.say("Dave has left")
    until(lambda: "Dave has left" in erin.heard())
    assert dave.heard() == [], "who gave up the seat hears nothing more"


def test_who_is_shown_out_is_out_at_every_door(page, others, room):
    bob, carol, dave, erin = others
    for one in (bob, carol, dave):
        show_out(page, one, room)
    until(lambda: bob.inside.ended == "removed", "bob's socket was not told")
    expect(page.locator("#seat-count")).to_have_text("2 members")
    say(page, "only Erin and I")
    until(lambda: erin.heard() == ["only Erin and I"])
    for one in (bob, carol, dave):
        answer = one.rest("GET", f"/api/v1/rooms/{room}/events/")
        assert answer.status == 404
    assert bob.heard() == dave.heard() == []
    with pytest.raises(Refused, match="not_member"):
        bob.say("hi")


def show_out(page, one, room):
    """The owner's browser asks the API, as a page of ours would: session and CSRF token."""
    status = page.evaluate(
        """async ([room, id]) => {
            const form = await (await fetch('/accounts/profile/')).text();
            const token = form.match(/csrfmiddlewaretoken" value="([^"]+)"/)[1];
            const answer = await fetch(`/api/v1/rooms/${room}/members/${id}/`, {
                method: 'DELETE', headers: {'X-CSRFToken': token},
            });
            return answer.status;
        }""",
        [room, one.id],
    )
    assert status == 204


def test_signing_out_a_device_closes_its_sockets_on_the_other_process(page, others):
    bob, carol, dave, erin = others
    assert bob.rest("POST", "/api/v1/tokens/revoke/", {}).status in (200, 204)
    until(lambda: bob.line.closed == 4001, "bob's socket is open")
    assert erin.rest("POST", "/api/users/logout").status == 200
    until(lambda: erin.wire.closed == 4001, "erin's socket is open")
    assert dave.wire.closed is None
