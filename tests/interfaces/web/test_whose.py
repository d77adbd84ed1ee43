"""Two tabs of one browser, and another person signs in: nobody's words become somebody else's."""

import re

import pytest
from django.conf import settings
from playwright.sync_api import expect

from tests.interfaces.web.talk import connected, room_of, say, until, visit, waiting
from tests.interfaces.web.test_leaving import fill

BOB_S = re.compile("Bob")
ENDED = "The sign-in of this page has ended"
NO_STORAGE = "Object.defineProperty(window, 'localStorage', { get() { throw Error() } })"


def signed_in(context, url, person):
    """By now, for all that this browser asks."""
    cookie = {"name": settings.SESSION_COOKIE_NAME, "value": person.session, "url": url}
    context.add_cookies([cookie])


def become(context, url, person):
    """As another tab's sign-in does: another session in this browser, and a page of theirs."""
    signed_in(context, url, person)
    tab = context.new_page()
    tab.goto("/")
    return tab


def offline(page, is_offline):
    """This tab alone."""
    if not hasattr(page, "network"):
        page.network = page.context.new_cdp_session(page)
        page.network.send("Network.enable")
    none = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    page.network.send("Network.emulateNetworkConditions", {"offline": is_offline} | none)
    page.evaluate("name => dispatchEvent(new Event(name))", "offline" if is_offline else "online")


def said(stack, room):
    return stack.run(_said, room)


def _said(room_id):
    from messaging.models import Event

    log = Event.objects.filter(room_id=room_id, kind="message").order_by("seq")
    return list(log.values_list("sender__display_name", "body"))


@pytest.fixture
def cast(stack):
    alice, bob = stack.people("alice", "bob")
    return alice, bob, room_of(stack, alice, bob)


def test_what_waits_in_a_tab_is_never_said_by_who_signed_in_since(stack, visitors, shot, cast):
    alice, bob, room = cast
    page = visitors.come(person=alice)
    visit(room, page)
    offline(page, True)
    expect(page.locator("#connection")).to_be_visible()
    say(page, "a private word of Alice")
    expect(waiting(page)).to_have_count(1)
    become(page.context, stack.urls[0], bob)
    offline(page, False)
    expect(page.locator(".notice")).to_contain_text("somebody else")
    expect(page.locator(".site-header .name")).to_have_text(BOB_S)
    shot(page, "whose-page")
    connected(page)
    assert page.locator("text=a private word").count() == 0
    say(page, "hello")
    until(page, lambda: said(stack, room))
    assert said(stack, room) == [("Bob", "hello")]


def test_nothing_of_the_person_before_stays_on_the_screen_of_a_tab_that_is_offline(
    stack, visitors, shot, cast
):
    alice, bob, room = cast
    page = visitors.come(person=alice)
    visit(room, page)
    offline(page, True)
    say(page, "a private word of Alice")
    expect(waiting(page)).to_have_count(1)
    become(page.context, stack.urls[0], bob)
    expect(page.get_by_role("heading", name="The sign-in of this page has ended")).to_be_visible()
    shot(page, "whose-curtain")
    expect(page.locator("main")).to_contain_text("kept in this browser, for its author alone")
    assert page.locator("#log, #my-rooms, .site-header").count() == 0
    assert page.locator("text=a private word").count() == 0


def test_a_socket_alone_finds_out_too(stack, visitors, cast):
    """Where the browser keeps nothing that could tell the other tabs."""
    alice, bob, room = cast
    page = visitors.come(person=alice)
    page.add_init_script(NO_STORAGE)
    visit(room, page)
    offline(page, True)
    say(page, "a private word of Alice")
    signed_in(page.context, stack.urls[0], bob)
    offline(page, False)
    expect(page.locator(".site-header .name")).to_have_text(BOB_S)
    connected(page)
    assert said(stack, room) == []


def test_the_lobby_shows_the_rooms_of_who_is_there(stack, visitors, cast):
    alice, bob, _room = cast
    other = room_of(stack, bob, title="Of Bob alone")
    page = visitors.come(person=alice)
    page.goto("/")
    expect(page.locator("[data-mine] [data-room]")).to_have_count(1)
    become(page.context, stack.urls[0], bob)
    expect(page.locator(f'[data-mine] [data-room="{other}"]')).to_be_visible()
    expect(page.locator(".site-header .name")).to_have_text(BOB_S)


def test_a_question_is_put_to_the_person_of_the_page_alone(stack, visitors, cast):
    """Its form would act for whoever signed in since, where the browser tells no other tab."""
    alice, bob, room = cast
    page = visitors.come(person=alice)
    page.add_init_script(NO_STORAGE)
    visit(room, page)
    signed_in(page.context, stack.urls[0], bob)
    page.get_by_label("Room menu").click()
    page.get_by_role("button", name="Leave the room…").click()
    expect(page.get_by_role("heading", name=ENDED)).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator(".site-header .name")).to_have_text(BOB_S)
    assert "409" in visitors.complaints.pop()  # of the browser, that it was refused


def test_an_entrance_asks_as_who_waits_at_it(stack, visitors, cast):
    """Not as who signed in since: their seat is no way in for the one before."""
    _alice, bob, room = cast
    (charlie,) = stack.people("charlie")
    stack.run(fill, room)
    page = visitors.come(person=charlie)
    page.add_init_script(NO_STORAGE)
    page.goto(f"/rooms/{room}/")
    expect(page.get_by_role("button", name="Try to join")).to_be_visible()
    signed_in(page.context, stack.urls[0], bob)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.get_by_role("heading", name=ENDED)).to_be_visible()
    expect(page.locator(".site-header .name")).to_have_text(BOB_S)
    assert "409" in visitors.complaints.pop()
