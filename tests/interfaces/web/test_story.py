"""The main job: open a room, talk in it, leave, come back and see what you missed."""

import re

from playwright.sync_api import expect

from tests.interfaces.web.talk import (
    connected,
    has_read,
    messages,
    open_room,
    room_of,
    say,
    sees,
    sign_up,
    until,
    visit,
    waiting,
)


def test_two_people_talk_one_leaves_and_sees_exactly_what_was_missed(visitors, stack, shot):
    alice, bob = visitors.come(0), visitors.come(1)
    sign_up(alice, "Alice", "alice.story@example.com")
    sign_up(bob, "Bob", "bob.story@example.com")
    room = open_room(alice, "Tea and biscuits")
    connected(alice)

    bob.reload()
    bob.get_by_role("button", name="Join Tea and biscuits").click()
    bob.wait_for_url(re.compile(f"{room}$"))
    expect(alice.locator("#here-count")).to_have_text("2 here")
    expect(alice.locator("#here-list")).to_contain_text("Bob")
    expect(alice.locator("#seat-count")).to_have_text("2 members")

    say(alice, "Hello, who is there?")
    sees(bob, "Hello, who is there?")
    bob.locator("#body").press_sequentially("It is m")
    expect(alice.locator("#typing")).to_have_text("Bob is typing")
    shot(alice, "typing")
    say(bob, "It is me.\nBob.")
    sees(alice, "Hello, who is there?", "It is me.\nBob.")
    sees(bob, "Hello, who is there?", "It is me.\nBob.")
    expect(alice.locator("#outbox .message")).to_have_count(0)

    # A page tells what was read at most once a second, and a browser that is killed tells nothing.
    heard = int(room.split("/")[2]), "bob.story@example.com"
    until(bob, lambda: has_read(stack, *heard))
    kept = bob.context.storage_state()
    bob.context.close()
    expect(alice.locator("#here-count")).to_have_text("1 here")
    expect(alice.locator("#members")).to_contain_text("last here")
    for text in ("Gone already?", "Well,", "the tea is ready."):
        say(alice, text)
    expect(messages(alice)).to_have_count(5)
    expect(alice.locator("#outbox .message")).to_have_count(0)

    bob = visitors.come(1, storage_state=kept)
    bob.goto("/")
    expect(bob.locator("[data-mine] .badge")).to_have_text("3")
    bob.goto(room)
    everything = ("Hello, who is there?", "It is me.\nBob.", "Gone already?", "Well,")
    everything += ("the tea is ready.",)
    sees(bob, *everything)
    expect(bob.locator("#missed-text")).to_contain_text("3 new messages since you left (")
    first = bob.locator(".entry", has=bob.locator(".new-line"))
    expect(first.locator(".message-body")).to_have_text("Gone already?")
    shot(bob, "missed")

    say(alice, "There you are!")
    sees(bob, *everything, "There you are!")
    sees(alice, *everything, "There you are!")
    shot(alice, "conversation")

    # Read is read: the second return finds nothing new.
    until(bob, lambda: has_read(stack, *heard))
    bob.goto("/")
    expect(bob.locator("[data-mine] .badge")).to_have_text("")
    bob.goto(room)
    sees(bob, *everything, "There you are!")
    expect(bob.locator("#missed")).to_be_hidden()
    expect(bob.locator(".new-line")).to_have_count(0)


def test_offline_to_online_without_a_reload(visitors, stack):
    people = stack.people("alice", "bob")
    room = room_of(stack, *people)
    alice, bob = visitors.come(0, people[0]), visitors.come(1, people[1])
    visit(room, alice, bob)
    bob.evaluate("window.untouched = true")

    bob.context.set_offline(True)
    expect(bob.locator("#connection")).to_contain_text("You are offline")
    say(bob, "first")
    say(bob, "second")
    expect(waiting(bob)).to_have_text(["first", "second"])
    say(alice, "meanwhile")
    sees(alice, "meanwhile")

    bob.context.set_offline(False)
    for page in (alice, bob):
        sees(page, "meanwhile", "first", "second")
    expect(waiting(bob)).to_have_count(0)
    expect(bob.locator("#connection")).to_be_hidden()
    assert bob.evaluate("window.untouched")


def test_whoever_lost_the_session_is_led_to_sign_in_and_back(visitors, stack):
    (alice,) = stack.people("alice")
    room = room_of(stack, alice)
    page = visitors.come(0, alice)
    visit(room, page)
    page.context.set_offline(True)
    page.context.clear_cookies()
    page.context.set_offline(False)
    page.wait_for_url(re.compile(f"/accounts/sign-in/[?]next=/rooms/{room}/$"))


def test_a_worker_that_dies_costs_nothing_but_a_moment(visitors, stack):
    people = stack.people("alice", "bob")
    room = room_of(stack, *people)
    alice, bob = visitors.come(0, people[0]), visitors.come(1, people[1])
    visit(room, alice, bob)

    stack.kill9(1)
    say(bob, "are you there?")
    expect(waiting(bob)).to_have_count(1)
    say(alice, "said to a dead process")
    stack.restart(1)
    for page in (alice, bob):
        sees(page, "said to a dead process", "are you there?")
