"""The browser's Back button, where no page may be kept."""

from playwright.sync_api import expect

from tests.interfaces.web.talk import connected, messages, room_of, say, sees, visit


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
