"""The browser's Back button, where no page may be kept."""

import pytest
from playwright.sync_api import expect

from tests import chromium
from tests.interfaces.web.conftest import Visitors
from tests.interfaces.web.talk import connected, messages, room_of, say, sees, visit

KEPT_FOR_BACK = "--disable-back-forward-cache"  # playwright's wish, which is left out
WHY_NOT = "JSON.stringify(performance.getEntriesByType('navigation')[0].notRestoredReasons)"


def test_back_brings_a_conversation_that_is_whole_and_live(visitors, stack):
    alice, bob = stack.people("alice", "bob")
    room = room_of(stack, alice, bob)
    page, other = visitors.come(0, alice), visitors.come(1, bob)
    visit(room, page, other)
    say(page, "before")
    sees(other, "before")
    page.goto("/accounts/profile/")
    say(other, "meanwhile")
    sees(other, "before", "meanwhile")
    page.go_back()
    connected(page)
    sees(page, "before", "meanwhile")
    say(other, "after")
    sees(page, "before", "meanwhile", "after")
    say(page, "and I")
    sees(other, "before", "meanwhile", "after", "and I")


def test_after_signing_out_back_shows_nothing_of_a_person(visitors, stack):
    (alice,) = stack.people("alice")
    room = room_of(stack, alice)
    page = visitors.come(0, alice)
    visit(room, page)
    say(page, "for members")
    sees(page, "for members")
    page.context.clear_cookies()
    page.goto("/accounts/sign-in/")
    page.go_back()
    expect(page.locator("[name=username]")).to_be_visible()
    expect(messages(page)).to_have_count(0)


def test_a_page_that_is_kept_for_the_back_button_is_not_a_person_in_the_room(visitors, stack):
    """No browser keeps this page: it asks not to be. Others may, and then this is what they say."""
    alice, bob = stack.people("alice", "bob")
    room = room_of(stack, alice, bob)
    page, other = visitors.come(0, alice), visitors.come(1, bob)
    visit(room, page, other)
    expect(other.locator("#here-count")).to_have_text("2 here")
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
    expect(other.locator("#here-count")).to_have_text("1 here")
    say(other, "meanwhile")
    sees(other, "meanwhile")
    assert messages(page).count() == 0
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    expect(other.locator("#here-count")).to_have_text("2 here")
    sees(page, "meanwhile")


@pytest.fixture
def keeper(browser, stack):
    """A browser that keeps pages for its Back button, as people's do."""
    launched = browser.browser_type.launch(
        executable_path=chromium.path(),
        args=chromium.OPTIONS,
        ignore_default_args=[KEPT_FOR_BACK],
    )
    yield Visitors(launched, stack)
    launched.close()


def test_a_browser_that_keeps_pages_keeps_no_conversation_and_says_why(keeper, stack):
    """A page with an open WebSocket that may be kept would come back with a dead one."""
    (alice,) = stack.people("alice")
    room = room_of(stack, alice)
    page = keeper.come(0, alice)
    visit(room, page)
    page.goto("/accounts/profile/")
    page.go_back()
    connected(page)
    said = page.evaluate(WHY_NOT)
    assert "response-cache-control-no-store" in said and "websocket-used-with-ccns" in said
    assert keeper.complaints == []
