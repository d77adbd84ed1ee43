"""What counts as read, on all pages of a person: the line, the button, the title, the badges."""

import re

import pytest
from playwright.sync_api import expect

from tests.interfaces.web.talk import (
    connected,
    has_read,
    messages,
    room_of,
    say,
    until,
    visit,
    write,
)

LOOKS_AWAY = """away => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => away });
    document.hasFocus = () => !away;
    document.dispatchEvent(new Event("visibilitychange"));
}"""


def caught_up(stack, page, person, room):
    """On the page, connected, with nothing unread."""
    visit(room, page)
    until(page, lambda: has_read(stack, room, person.email))
    page.reload()
    connected(page)
    expect(page.locator(".new-line")).to_have_count(0)


def below_the_line(page):
    first = page.locator(".entry", has=page.locator(".new-line"))
    return first.locator(".message-body")


def come_back(page, stack, room, person, texts):
    """The connection is lost, something is said, and it comes back."""
    page.context.set_offline(True)
    expect(page.locator("#connection")).to_be_visible()
    stack.run(write, room, person.id, texts)
    page.context.set_offline(False)


def position(stack, room, person):
    return stack.run(_position, room, person.email)


def _position(room_id, email):
    from rooms.models import Membership

    return Membership.objects.get(room_id=room_id, user__email=email).read_seq


def test_what_came_while_the_line_was_lost_is_read_as_far_as_it_was_on_the_screen(
    visitors, stack, shot
):
    alice, bob = stack.people("alice", "bob")
    room = room_of(stack, alice, bob, said=5)
    page = visitors.come(0, bob)
    caught_up(stack, page, bob, room)
    come_back(page, stack, room, alice, [f"missed {number}" for number in range(60)])
    expect(below_the_line(page)).to_have_text("missed 0")
    expect(page.get_by_text("missed 0", exact=True)).to_be_in_viewport()
    until(page, lambda: position(stack, room, bob) > 7)
    expect(page.locator("#latest-text")).to_have_text(re.compile(r"^[1-5]\d new messages$"))
    shot(page, "missed-in-front")
    unread = int(page.locator("#latest-text").inner_text().split()[0])
    page.wait_for_timeout(1_500)  # nothing goes on by itself
    assert position(stack, room, bob) == 67 - unread
    page.locator("#latest").click()
    until(page, lambda: has_read(stack, room, bob.email))
    expect(page.locator("#latest")).to_be_hidden()


@pytest.mark.parametrize("many", [4, 19, 60])
def test_the_line_stands_above_all_that_came_while_nobody_looked(visitors, stack, many):
    alice, bob = stack.people("alice", "bob")
    room = room_of(stack, alice, bob, said=3)
    page = visitors.come(0, bob)
    caught_up(stack, page, bob, room)
    page.evaluate(LOOKS_AWAY, True)
    come_back(page, stack, room, alice, [f"new {number}\nof two lines" for number in range(many)])
    expect(messages(page).last).to_have_text(f"new {many - 1}\nof two lines")
    expect(below_the_line(page)).to_have_text("new 0\nof two lines")
    expect(page).to_have_title(re.compile(rf"^\({many}\) "))
    if many > 4:  # of these some are out of sight
        expect(page.locator("#latest-text")).to_have_text(f"{many} new messages")
    before = position(stack, room, bob)
    page.evaluate(LOOKS_AWAY, False)
    expect(page).to_have_title(re.compile(r"^Tea"))
    until(page, lambda: position(stack, room, bob) > before)
    expect(page.locator(".new-line")).to_be_in_viewport()


def test_more_than_the_wire_brings_is_said_and_begins_at_the_line(visitors, stack):
    alice, bob = stack.people("alice", "bob")
    room = room_of(stack, alice, bob, said=3)
    page = visitors.come(0, bob)
    caught_up(stack, page, bob, room)
    page.evaluate(LOOKS_AWAY, True)
    come_back(page, stack, room, alice, [f"line {number} of many" for number in range(1_050)])
    expect(page).to_have_title(re.compile(r"^\(100\+\) "))
    expect(below_the_line(page)).to_have_text("line 0 of many")
    expect(page.locator("#missed-text")).to_contain_text("100+ new messages since ")
    page.evaluate(LOOKS_AWAY, False)
    page.locator("#latest").click()
    expect(messages(page).last).to_have_text("line 1049 of many")
    until(page, lambda: has_read(stack, room, bob.email))


def test_read_on_one_device_is_read_on_the_others(visitors, stack):
    alice, bob = stack.people("alice", "bob")
    room, other = room_of(stack, alice, bob), room_of(stack, alice, bob, title="Other")
    lobby, beside = visitors.come(0, bob), visitors.come(1, bob)
    badge = f".mine [data-room='{room}'] .badge"
    lobby.goto("/")
    visit(other, beside)
    stack.run(write, room, alice.id, ["one", "two"])
    for page in (lobby, beside):
        expect(page.locator(badge)).to_have_text("2")
    phone = visitors.come(1, bob)
    phone.goto(f"/rooms/{room}/")
    for page in (lobby, beside):
        expect(page.locator(badge)).to_have_text("")
    stack.run(write, room, alice.id, ["three"])
    expect(phone.locator("#log")).to_contain_text("three")
    until(phone, lambda: has_read(stack, room, bob.email))
    for page in (lobby, beside):
        expect(page.locator(badge)).to_have_text("")


def test_the_banner_says_since_when_in_truth(visitors, stack):
    alice, bob = stack.people("alice", "bob")
    room = room_of(stack, alice, bob, said=3)
    page = visitors.come(0, bob)
    caught_up(stack, page, bob, room)
    page.evaluate(LOOKS_AWAY, True)  # it stands on a screen that nobody looks at
    stack.run(write, room, alice.id, ["of before I left"])
    expect(messages(page).last).to_have_text("of before I left")
    stack.run(_said_earlier, room, 11)
    page.goto("/")
    stack.run(write, room, alice.id, ["of after"])
    page.goto(f"/rooms/{room}/")
    expect(page.locator("#missed-text")).to_contain_text("2 new messages since ")
    said = page.locator(".entry", has_text="of before I left").locator("time")
    assert page.locator("#missed-text").inner_text().endswith(f" {said.inner_text()}")


def _said_earlier(room_id, minutes):
    from datetime import timedelta

    from django.db.models import F

    from messaging.models import Event

    earlier = F("created_at") - timedelta(minutes=minutes)
    Event.objects.filter(room_id=room_id).update(created_at=earlier)


def test_a_message_that_comes_while_i_look_needs_no_line(visitors, stack):
    alice, bob = stack.people("alice", "bob")
    room = room_of(stack, alice, bob, said=3)
    page, other = visitors.come(0, bob), visitors.come(1, alice)
    caught_up(stack, page, bob, room)
    visit(room, other)
    for number in range(15):
        say(other, f"live {number}\nof two lines")
        expect(messages(page).last).to_have_text(f"live {number}\nof two lines")
    expect(messages(page).last).to_be_in_viewport()
    until(page, lambda: has_read(stack, room, bob.email))
    expect(page.locator(".new-line")).to_have_count(0)
