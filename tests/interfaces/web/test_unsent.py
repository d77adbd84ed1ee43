"""What was written without a connection stays, though its tab is closed, and is said once."""

import re

import pytest
from playwright.sync_api import expect

from tests.interfaces.web.talk import room_of, say, sees, until, visit, waiting
from tests.interfaces.web.test_whose import become, said


@pytest.fixture
def cast(stack):
    alice, bob = stack.people("alice", "bob")
    return alice, bob, room_of(stack, alice, bob)


def kept(page):
    """How many messages this browser keeps."""
    return page.evaluate(
        """() => new Promise((done) => {
          const request = indexedDB.open("chattalk", 1);
          request.onsuccess = () => {
            const all = request.result.transaction("unsent").objectStore("unsent").count();
            all.onsuccess = () => (request.result.close(), done(all.result));
          };
        })"""
    )


def write_and_close(page, room, *texts):
    """In a tab that loses its connection and is closed."""
    visit(room, page)
    page.context.set_offline(True)
    expect(page.locator("#connection")).to_contain_text("kept here and sent when you are back")
    for text in texts:
        say(page, text)
    expect(waiting(page)).to_have_count(len(texts))
    until(page, lambda: kept(page) == len(texts))
    page.close()


def another_tab(context):
    context.set_offline(False)
    return context.new_page()


def test_it_is_sent_once_and_in_order_by_the_next_tab(stack, visitors, cast):
    alice, _bob, room = cast
    page = visitors.come(person=alice)
    context = page.context
    write_and_close(page, room, "one", "two", "three")
    tabs = [another_tab(context), another_tab(context)]
    for tab in tabs:
        tab.goto(f"/rooms/{room}/")
    for tab in tabs:
        sees(tab, "one", "two", "three")
        expect(waiting(tab)).to_have_count(0)
    until(tabs[0], lambda: kept(tabs[0]) == 0)
    assert said(stack, room) == [("Alice", "one"), ("Alice", "two"), ("Alice", "three")]


def test_the_lobby_sends_it_too(stack, visitors, cast):
    alice, _bob, room = cast
    page = visitors.come(person=alice)
    context = page.context
    write_and_close(page, room, "from the lobby")
    tab = another_tab(context)
    tab.goto("/")
    until(tab, lambda: said(stack, room) == [("Alice", "from the lobby")])
    until(tab, lambda: kept(tab) == 0)


def test_a_tab_that_is_open_sends_its_own(stack, visitors, cast):
    alice, _bob, room = cast
    page = visitors.come(person=alice)
    visit(room, page)
    other = page.context.new_page()
    visit(room, other)
    page.context.set_offline(True)
    expect(page.locator("#connection")).to_be_visible()
    say(page, "one")
    say(other, "two")
    page.context.set_offline(False)
    for tab in (page, other):
        expect(tab.locator("#log .message-body")).to_have_count(2)
        expect(waiting(tab)).to_have_count(0)
    assert sorted(said(stack, room)) == [("Alice", "one"), ("Alice", "two")]


def test_somebody_else_in_the_same_browser_neither_sees_nor_sends_it(stack, visitors, cast):
    alice, bob, room = cast
    page = visitors.come(person=alice)
    context = page.context
    write_and_close(page, room, "a private word")
    context.set_offline(False)
    tab = become(context, stack.urls[0], bob)
    visit(room, tab)
    assert tab.locator("text=a private word").count() == 0
    assert said(stack, room) == [] and kept(tab) == 1
    tab = become(context, stack.urls[0], alice)
    until(tab, lambda: said(stack, room) == [("Alice", "a private word")])


# The room says so more than once; each time the page would hide it.
STAYS_OPEN = """() => {
    const composer = document.getElementById("composer");
    composer.hidden = false;
    Object.defineProperty(composer, "hidden", { value: false, writable: true });
}"""


def has_unsent(stack, page, room, author):
    """What they said came as the room was being closed."""
    stack.run(_close, room, author.id)
    expect(page.locator("#closed")).to_be_visible()
    page.evaluate(STAYS_OPEN)
    say(page, "too late")
    expect(page.locator("#outbox")).to_contain_text("Not sent.")


def sign_out(tab):
    tab.locator("summary[aria-label^='Your account']").click()
    tab.get_by_role("button", name="Sign out").click()


def test_signing_out_asks_and_forgets(stack, visitors, cast):
    alice, _bob, room = cast
    page = visitors.come(person=alice)
    context = page.context
    visit(room, page)
    tab = context.new_page()
    asked = []
    tab.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.accept()))
    tab.goto("/accounts/profile/")
    has_unsent(stack, page, room, alice)
    until(tab, lambda: kept(tab) == 1)
    sign_out(tab)
    tab.wait_for_url(re.compile("sign-in"))
    assert asked == ["1 message is not sent yet. Signing out discards it."]
    until(tab, lambda: kept(tab) == 0)
    expect(page.locator("#outbox")).to_have_count(0)
    assert page.locator("text=is kept in this browser").count() == 0


def test_a_page_that_the_server_ends_first_says_nothing_else(stack, visitors, cast):
    """Its socket is closed before the tab that signs out has its next page; it hears no other."""
    alice, _bob, room = cast
    page = visitors.come(person=alice)
    page.add_init_script("addEventListener('storage', (it) => it.stopImmediatePropagation())")
    visit(room, page)
    tab = page.context.new_page()
    tab.on("dialog", lambda dialog: dialog.accept())
    tab.goto("/accounts/profile/")
    has_unsent(stack, page, room, alice)
    until(tab, lambda: kept(tab) == 1)
    sign_out(tab)
    expect(page.locator(".gate h1")).to_have_text("The sign-in of this page has ended")
    assert page.locator("text=is kept in this browser").count() == 0


def _close(room_id, user_id):
    from accounts.models import User
    from messaging import services

    services.close_room(room_id, User.objects.get(pk=user_id))


def _leave(room_id, user_id):
    from accounts.models import User
    from messaging import services

    services.leave(room_id, User.objects.get(pk=user_id))


def test_who_has_left_can_read_copy_and_discard_it(stack, visitors, shot, cast):
    _alice, bob, room = cast
    page = visitors.come(person=bob)
    context = page.context
    write_and_close(page, room, "what I wanted to say")
    stack.run(_leave, room, bob.id)
    tab = another_tab(context)
    tab.goto("/")
    refused = tab.locator("[data-refused]")
    expect(refused).to_contain_text("what I wanted to say")
    expect(refused).to_contain_text("You are not a member of this room.")
    expect(refused.get_by_role("link", name="Tea")).to_be_visible()
    shot(tab, "refused-lobby")
    tab.goto(f"/rooms/{room}/")
    expect(refused).to_contain_text("what I wanted to say")
    shot(tab, "refused-entrance")
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    refused.get_by_role("button", name="Copy").click()
    expect(refused.get_by_role("button", name="Copied")).to_be_visible()
    assert tab.evaluate("navigator.clipboard.readText()") == "what I wanted to say"
    refused.get_by_role("button", name="Discard").click()
    expect(refused).to_be_hidden()
    assert kept(tab) == 0 and said(stack, room) == []


def test_a_browser_that_keeps_nothing_says_so(stack, visitors, shot, cast):
    alice, _bob, room = cast
    page = visitors.come(person=alice)
    page.add_init_script("Object.defineProperty(window, 'indexedDB', { value: undefined })")
    visit(room, page)
    page.context.set_offline(True)
    strip = page.locator("#connection")
    expect(strip).to_contain_text("sent when you are back. Keep this page open until then.")
    expect(strip).not_to_contain_text("kept here")
    shot(page, "unsent-not-kept")
    say(page, "still here")
    page.context.set_offline(False)
    until(page, lambda: said(stack, room) == [("Alice", "still here")])
