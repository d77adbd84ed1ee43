"""The lobby moves by itself: badges by the socket, the list by asking. And it works everywhere."""

import pytest
from playwright.sync_api import expect

from tests.interfaces.web.talk import connected, open_room, room_of, say, sees, until, visit, write
from tests.interfaces.web.test_changes import edited, opened
from tests.stack import post

ASKED_EVERY = 15_000  # ms: REFRESH_EVERY of static/js/lobby.js


def badge(page, room):
    return page.locator(f".mine [data-room='{room}'] .badge")


def test_badges_and_counts_move_while_i_look_and_catch_up_when_i_was_away(visitors, stack):
    alice, bob = stack.people("alice", "bob")
    room = room_of(stack, alice, title="Tea")
    lobby, talk = visitors.come(0, alice), visitors.come(1, bob)
    with lobby.expect_event("websocket"):
        lobby.goto("/")
    talk.goto(f"/rooms/{room}/")
    talk.get_by_role("button", name="Join the room").click()
    connected(talk)
    expect(lobby.locator(f".mine [data-room='{room}'] [data-personnel]")).to_have_text("2")
    for text in ("one", "two"):
        say(talk, text)
    expect(badge(lobby, room)).to_have_text("2")
    lobby.context.set_offline(True)
    say(talk, "three")
    sees(talk, "one", "two", "three")
    lobby.context.set_offline(False)
    expect(badge(lobby, room)).to_have_text("3")
    lobby.locator(f".mine [data-room='{room}'] a").click()
    sees(lobby, "one", "two", "three")
    expect(badge(lobby, room)).to_have_text("")


def test_what_i_say_myself_waits_for_nobody(visitors, stack):
    alice, bob = stack.people("alice", "bob")
    room = room_of(stack, alice, bob)
    lobby, talk = visitors.come(0, alice), visitors.come(1, alice)
    lobby.goto("/")
    visit(room, talk)
    head = lobby.locator(f".mine [data-room='{room}']")
    before = int(head.get_attribute("data-head"))
    say(talk, "to myself")
    expect(head).to_have_attribute("data-head", str(before + 1))
    expect(badge(lobby, room)).to_have_text("")


def test_the_list_finds_new_rooms_and_keeps_search_and_focus(visitors, stack):
    alice, bob = stack.people("alice", "bob")
    page, other = visitors.come(0, bob), visitors.come(1, alice)
    page.clock.install()
    page.goto("/")
    page.get_by_role("searchbox").fill("Oolong")
    expect(page.get_by_text("No open room has")).to_be_visible()
    room = open_room(other, "Oolong at five").strip("/").split("/")[-1]
    row = page.locator(f"#open-rooms [data-room='{room}']")
    page.clock.fast_forward(ASKED_EVERY)
    expect(row).to_be_visible()
    expect(page.get_by_role("searchbox")).to_be_focused()
    assert page.url.endswith("?q=Oolong")
    join = row.get_by_role("button", name="Join Oolong at five")
    join.focus()
    stack.run(write, int(room), alice.id, ["hello"])  # the next answer is another one
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(join).to_be_focused()
    join.press("Enter")
    expect(page.locator("#room-title")).to_have_text("Oolong at five")


def test_what_is_told_of_a_room_stands_in_both_lists(visitors, stack):
    alice, bob, charlie = stack.people("alice", "bob", "charlie")
    room = room_of(stack, alice, bob, title="Mate")
    stack.run(_quiet_for, room, 2)
    lobby, talk = visitors.come(0, bob), visitors.come(1, alice)
    lobby.route("**/lobby/rooms/**", lambda route: route.abort())  # it need not ask
    opened(lobby, "/?q=Mate")  # other tests' rooms may be livelier
    mine, listed = (lobby.locator(f"{of} [data-room='{room}']") for of in (".mine", "#open-rooms"))
    for row in (mine, listed):
        expect(row.locator("time")).to_have_text("2 minutes ago")
    visit(room, talk)
    say(talk, "and on we go")
    assert post(f"{stack.urls[1]}/rooms/{room}/join/", charlie) == 200
    stack.run(edited, room, alice.id, {"title": "Coffee"})
    for row in (mine, listed):
        expect(row.locator("time")).to_have_text("now")
        expect(row.locator("[data-personnel]")).to_have_text("3")
        expect(row.locator(".title")).to_have_text("Coffee")
    expect(listed.locator("meter")).to_have_js_property("value", 3)


def _quiet_for(room_id, minutes):
    from datetime import timedelta

    from django.utils import timezone

    from messaging.models import LastMessage
    from rooms.models import Room

    since = timezone.now() - timedelta(minutes=minutes)
    Room.objects.filter(pk=room_id).update(last_event_at=since, active_at=since)
    LastMessage.objects.create(room_id=room_id, at=since)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_theme_is_chosen_by_the_system_until_somebody_chooses(visitors, stack, theme):
    (alice,) = stack.people("alice")
    page = visitors.come(0, alice, color_scheme=theme)
    page.goto("/")
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="Dark theme").click()
    page.reload()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != background


@pytest.mark.parametrize("language", ["en-GB", "ko-KR"])
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_no_page_is_wider_than_the_screen(visitors, stack, shot, language, width):
    (alice,) = stack.people("alice")
    room_of(stack, alice, title="A long title " * 6)
    size = {"width": width, "height": 844}
    page = visitors.come(0, alice, viewport=size, locale=language)
    for name, address in {
        "lobby": "/",
        "new": "/rooms/new/",
        "profile": "/accounts/profile/",
    }.items():
        page.goto(address)
        shot(page, f"{name}-{language[:2]}-{width}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    guest = visitors.come(0, viewport=size, locale=language)
    for name, address in {"landing": "/", "sign-up": "/accounts/sign-up/"}.items():
        guest.goto(address)
        shot(guest, f"{name}-{language[:2]}-{width}")
        assert guest.evaluate("document.documentElement.scrollWidth") <= width


def test_a_password_can_be_looked_at(visitors):
    page = visitors.come(0)
    page.goto("/accounts/sign-in/")
    page.get_by_label("Password", exact=True).fill("nine green bottles")
    page.get_by_role("button", name="Show the password").click()
    expect(page.locator("#id_password")).to_have_attribute("type", "text")


def test_everybody_sees_when_something_was_last_said_and_nothing_of_it(visitors, stack):
    alice, bob = stack.people("alice", "bob")
    room = room_of(stack, alice)
    lobby = visitors.come(0, bob)
    lobby.goto("/")
    row = lobby.locator(f"#open-rooms [data-room='{room}']")
    expect(row.locator(".title")).to_be_visible()
    expect(row.get_by_text("Last message:")).to_be_hidden()  # to come in is to say nothing
    stack.run(write, room, alice.id, ["a secret"])

    def told():
        lobby.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        return row.get_by_text("Last message: now").is_visible()

    until(lobby, told)
    assert "a secret" not in row.inner_text() and "Alice" not in row.inner_text()
