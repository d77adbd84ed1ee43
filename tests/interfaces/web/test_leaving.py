"""Leaving is asked for; who waits at a full room is told when there is a seat."""

import re

from playwright.sync_api import expect

from tests.interfaces.web.talk import connected, room_of, visit
from tests.stack import post

LOBBY = re.compile(r"^http://[^/]+/$")


def test_leaving_asks_first_by_keyboard_and_says_what_is_lost(visitors, stack, shot):
    alice, bob = stack.people("alice", "bob")
    room = room_of(stack, alice, bob)
    stack.run(fill, room)
    page = visitors.come(0, bob)
    visit(room, page)
    menu = page.get_by_label("Room menu")
    menu.focus()
    menu.press("Enter")
    leave = page.get_by_role("button", name="Leave the room…")
    leave.focus()
    leave.press("Enter")
    question = page.get_by_role("dialog")
    expect(question).to_have_accessible_name("Leave “Tea”?")
    expect(question).to_contain_text("The room is full: you may not get back in.")
    expect(question.get_by_role("link", name="Cancel")).to_be_focused()
    shot(page, "leaving")
    page.keyboard.press("Escape")
    expect(question).to_have_count(0)
    expect(menu).to_be_focused()
    menu.press("Enter")
    leave.press("Enter")
    expect(question.get_by_role("link", name="Cancel")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(question.get_by_role("button", name="Leave the room")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(LOBBY)
    expect(page.get_by_role("status").filter(has_text="You left “Tea”.")).to_be_visible()


def test_leaving_and_showing_out_work_without_a_script(visitors, stack):
    alice, bob = stack.people("alice", "bob")
    room = room_of(stack, alice, bob)
    page = visitors.come(0, alice, java_script_enabled=False)
    page.goto(f"/rooms/{room}/people/")
    page.get_by_role("link", name="Remove… Bob").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Remove Bob from “Tea”?")
    page.get_by_role("button", name="Remove from the room").click()
    expect(page.get_by_text("Bob was removed.")).to_be_visible()
    page.goto(f"/rooms/{room}/")
    page.get_by_label("Room menu").click()
    page.get_by_role("button", name="Leave the room…").click()
    page.get_by_role("button", name="Leave the room").click()
    page.wait_for_url(LOBBY)
    page.get_by_role("navigation", name="Rooms you opened").get_by_role("link").click()
    expect(page.get_by_role("button", name="Join the room")).to_be_visible()


def test_handing_over_is_a_dialog_that_can_be_left(visitors, stack):
    alice, bob = stack.people("alice", "bob")
    room = room_of(stack, alice, bob)
    page = visitors.come(0, alice)
    page.goto(f"/rooms/{room}/people/")
    hand_over = page.get_by_role("link", name="Make the owner… Bob")
    hand_over.click()
    question = page.get_by_role("dialog")
    question.get_by_role("link", name="Cancel").click()
    expect(question).to_have_count(0)
    expect(hand_over).to_be_focused()
    hand_over.click()
    question.get_by_role("button", name="Make the owner").click()
    page.wait_for_url(re.compile(rf"/rooms/{room}/$"))
    page.get_by_label("Room menu").click()
    expect(page.get_by_role("link", name="Manage the members")).to_have_count(0)


def test_a_full_room_tells_who_waits_at_its_entrance_when_a_seat_is_free(visitors, stack):
    alice, bob, charlie = stack.people("alice", "bob", "charlie")
    room = room_of(stack, alice, bob)
    stack.run(fill, room)
    page = visitors.come(0, charlie)
    page.goto(f"/rooms/{room}/")
    expect(page.get_by_role("button", name="Try to join")).to_be_visible()
    assert post(f"{stack.urls[1]}/rooms/{room}/leave/", bob) == 200
    expect(page.get_by_role("status")).to_have_text("There is a free seat. You can join now.")
    page.get_by_role("button", name="Join the room").click()
    connected(page)


def fill(room_id):
    """No seat is free any more."""
    from django.db.models import F

    from rooms.models import Room

    Room.objects.filter(pk=room_id).update(capacity=F("personnel"))
