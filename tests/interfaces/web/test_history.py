"""A long log on the page: it comes in pages, both ways, and what is read keeps its place."""

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


def test_long_history_comes_in_pages_both_ways_and_is_never_all_in_the_page(visitors, stack):
    alice, bob = stack.people("alice", "bob")
    room = room_of(stack, alice, bob, said=1150)
    page = visitors.come(0, alice)
    visit(room, page)
    expect(messages(page).last).to_have_text("line 1150")
    expect(messages(page).last).to_be_in_viewport()

    scroll_until(page, 0, lambda: messages(page).first.text_content() == "line 1")
    assert_unbroken(page)
    stack.run(write, room, bob.id, ["behind the reader's back"])
    scroll_until(
        page, 1e9, lambda: messages(page).last.text_content() == "behind the reader's back"
    )
    assert_unbroken(page, last="behind the reader's back")

    scroll_until(page, 0, lambda: messages(page).first.text_content() == "line 1")
    page.locator("#latest").click()
    expect(messages(page).last).to_be_in_viewport()
    expect(messages(page).last).to_have_text("behind the reader's back")
    expect(page.locator("#latest")).to_be_hidden()


def scroll_until(page, top, done):
    def scroll():
        page.locator("#scroller").evaluate("(box, top) => box.scrollTop = top", top)
        assert page.locator("#log .entry").count() <= 1000
        return done()

    until(page, scroll)


def assert_unbroken(page, last=None):
    texts = messages(page).all_text_contents()
    if last:
        assert texts.pop() == last
    first = int(texts[0].removeprefix("line "))
    assert texts == [f"line {number}" for number in range(first, first + len(texts))]


def test_an_older_page_does_not_move_what_is_read(visitors, stack):
    (alice,) = stack.people("alice")
    room = room_of(stack, alice, said=200)
    page = visitors.come(0, alice)
    visit(room, page)
    moved = page.evaluate(
        """async () => {
            const box = document.getElementById("scroller");
            const log = document.getElementById("log");
            for (let still = 0, last = -1; still < 30; last = box.scrollTop) {  // at its place
                await new Promise(requestAnimationFrame);
                still = box.scrollTop === last ? still + 1 : 0;
            }
            const count = log.childElementCount;  // no pause from here: the page may be quick
            box.scrollTop = 300;
            const seen = [...log.children].find(
                (entry) => entry.getBoundingClientRect().top > box.getBoundingClientRect().top);
            const before = seen.getBoundingClientRect().top;
            while (log.childElementCount === count) await new Promise(requestAnimationFrame);
            await new Promise(requestAnimationFrame);
            return Math.abs(seen.getBoundingClientRect().top - before);
        }"""
    )
    assert moved < 2


def test_much_missed_begins_at_the_line_and_ends_at_the_end(visitors, stack, shot):
    alice, bob = stack.people("alice", "bob")
    room = room_of(stack, alice, bob, said=3)
    page = visitors.come(0, bob)
    page.goto(f"/rooms/{room}/")
    until(page, lambda: has_read(stack, room, bob.email))
    page.goto("/")
    stack.run(write, room, alice.id, [f"missed {number}" for number in range(1, 251)])
    page.goto(f"/rooms/{room}/")
    expect(page.locator("#missed-text")).to_contain_text("100+ new messages")
    expect(page.locator(".new-line")).to_be_in_viewport()
    expect(page.get_by_text("missed 1", exact=True)).to_be_in_viewport()
    connected(page)
    shot(page, "much-missed")
    page.locator("#latest").click()
    expect(page.get_by_text("missed 250", exact=True)).to_be_in_viewport()
    say(page, "all read")
    expect(messages(page).last).to_have_text("all read")
    page.get_by_role("button", name="Jump to the first").click()
    expect(page.get_by_text("missed 1", exact=True)).to_be_in_viewport()
    for _ in range(60):
        page.locator("#scroller").evaluate("box => box.scrollTop = box.scrollHeight")
        if messages(page).last.text_content() == "all read":
            break
        page.wait_for_timeout(100)
    texts = [text for text in messages(page).all_text_contents() if text.startswith("missed")]
    assert texts == [f"missed {number}" for number in range(1, 251)]
