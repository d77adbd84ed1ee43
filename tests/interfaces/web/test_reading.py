"""What a reader sees while reading: badges, the line of new messages, links, the first line."""

import pytest
from playwright.sync_api import expect

from tests.interfaces.web.talk import (
    connected,
    has_read,
    messages,
    room_of,
    say,
    sees,
    until,
    visit,
    write,
)

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def test_the_room_i_read_has_no_badge_however_far_i_have_scrolled(visitors, stack):
    alice, bob = stack.people("alice", "bob")
    room = room_of(stack, alice, bob, said=60)
    page, other = visitors.come(0, bob), visitors.come(1, alice)
    visit(room, page, other)
    expect(page.locator("#latest")).to_be_visible()
    expect(page.locator("[aria-current] .badge")).to_be_empty()
    say(other, "Are you still there?")
    expect(page.locator("#latest-text")).to_have_text("1 new message")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # asks for the list
    page.wait_for_load_state("networkidle")
    expect(page.locator("[aria-current] .badge")).to_be_empty()


def test_new_messages_while_i_scroll_up_get_the_line_and_my_answer_takes_it_away(visitors, stack):
    alice, bob = stack.people("alice", "bob")
    room = room_of(stack, alice, bob, said=60)
    stack.run(write, room, bob.id, ["and that was all"])
    page, other = visitors.come(0, bob), visitors.come(1, alice)
    page.goto(f"/rooms/{room}/")
    until(page, lambda: page.locator("#latest").is_visible())
    page.locator("#latest").click()
    until(page, lambda: has_read(stack, room, bob.email))
    page.reload()
    connected(page)
    expect(page.locator(".new-line")).to_have_count(0)
    page.locator("#scroller").evaluate("box => box.scrollTop = box.scrollHeight / 2")
    expect(page.locator("#latest")).to_be_visible()
    visit(room, other)
    for text in ("first of two", "second of two"):
        say(other, text)
    expect(page.locator("#latest-text")).to_have_text("2 new messages")
    first = page.locator(".entry", has=page.locator(".new-line"))
    expect(first.locator(".message-body")).to_have_text("first of two")
    say(page, "I see")
    expect(messages(page).last).to_have_text("I see")
    expect(page.locator(".new-line")).to_have_count(0)


def test_all_that_is_new_is_shown_at_once_if_the_screen_can(visitors, stack):
    alice, bob = stack.people("alice", "bob")
    room = room_of(stack, alice, bob, said=30)
    page = visitors.come(0, bob)
    visit(room, page)
    page.locator("#latest").click()
    until(page, lambda: has_read(stack, room, bob.email))
    page.goto("/")
    stack.run(write, room, alice.id, [f"news {number}\nof two lines" for number in range(6)])
    page.goto(f"/rooms/{room}/")
    expect(page.locator(".new-line")).to_be_in_viewport()
    expect(page.get_by_text("news 5")).to_be_in_viewport(ratio=1)


def test_an_address_is_a_link_and_korean_knows_that_it_is_korean(visitors, stack):
    (alice,) = stack.people("alice")
    room = room_of(stack, alice)
    page = visitors.come(0, alice)
    visit(room, page)
    text = "지도는 https://example.com/a_(b)?c=<b>입니다."
    say(page, text)
    sees(page, text)
    link = page.locator("#log a")
    expect(link).to_have_attribute("href", "https://example.com/a_(b)?c=")
    expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")
    expect(messages(page)).to_have_attribute("lang", "ko")


# For each line of an element, how far from the left each of its letters begins.
LEFTS = """body => {
    const texts = document.createTreeWalker(body, NodeFilter.SHOW_TEXT);
    const lines = [[]];
    for (let text; (text = texts.nextNode()); ) {
        [...text.data].forEach((letter, at) => {
            if (letter === "\\n") return void lines.push([]);
            const range = document.createRange();
            range.setStart(text, at);
            range.setEnd(text, at + 1);
            if (/\\p{L}/u.test(letter)) lines.at(-1).push(range.getBoundingClientRect().left);
        });
    }
    return lines;
}"""


@pytest.mark.parametrize("mark", ["\u202d", "\u202e"])
def test_letters_stand_in_the_order_in_which_they_were_written(visitors, stack, mark):
    (alice,) = stack.people("alice")
    room = room_of(stack, alice)
    turned, after = f"exe{mark}gpj.txt \u05e9\u05dc\u05d5\u05dd", "and what comes after it"
    stack.run(write, room, alice.id, [turned, after])
    page = visitors.come(0, alice)
    visit(room, page)
    assert messages(page).all_text_contents() == [turned, after]
    [first], [second] = (messages(page).nth(at).evaluate(LEFTS) for at in (0, 1))
    latin, hebrew = first[:9], first[9:]
    assert latin == sorted(latin) and hebrew == sorted(hebrew, reverse=True)
    assert second == sorted(second)


def test_each_line_of_a_message_runs_by_its_own_letters(visitors, stack):
    (alice,) = stack.people("alice")
    room = room_of(stack, alice)
    stack.run(write, room, alice.id, ["A line that is long\n\u05e9\u05dc\u05d5\u05dd"])
    page = visitors.come(0, alice)
    visit(room, page)
    latin, hebrew = messages(page).first.evaluate(LEFTS)
    assert min(hebrew) > latin[len(latin) // 2], "it begins at the right, as where it was typed"


def test_above_the_first_line_stands_what_the_room_is(visitors, stack):
    (alice,) = stack.people("alice")
    fresh, long = room_of(stack, alice, title="Fresh"), room_of(stack, alice, said=120)
    page = visitors.come(0, alice)
    page.goto(f"/rooms/{fresh}/")
    expect(page.locator("#beginning")).to_contain_text("This is where the conversation begins.")
    visit(long, page)
    expect(page.locator("#beginning")).to_be_hidden()
    scroll_up = "box => box.scrollTop = 0"
    until(
        page,
        lambda: (
            page.locator("#scroller").evaluate(scroll_up) or page.locator("#beginning").is_visible()
        ),
    )
    expect(page.locator("#log .entry").first).to_have_attribute("data-seq", "1")


def test_sending_moves_nothing_when_it_is_confirmed(visitors, stack):
    (alice,) = stack.people("alice")
    room = room_of(stack, alice, said=3)
    page = visitors.come(0, alice)
    visit(room, page)
    page.context.set_offline(True)
    expect(page.locator("#connection")).to_be_visible()
    say(page, "wait for me")
    expect(page.locator("#outbox .message-sending")).to_have_text("Waiting…")
    waiting = page.locator("#outbox .message-body").bounding_box()
    page.context.set_offline(False)
    sees(page, "line 1", "line 2", "line 3", "wait for me")
    expect(page.locator("#connection")).to_be_hidden()
    assert messages(page).last.bounding_box() == waiting


def test_i_can_write_at_once_but_no_keyboard_covers_a_phone(visitors, stack):
    (alice,) = stack.people("alice")
    room = room_of(stack, alice)
    for look, focused in (({}, True), (PHONE, False)):
        page = visitors.come(0, alice, **look)
        visit(room, page)
        assert page.evaluate("document.activeElement.id === 'body'") is focused


def test_a_notice_lies_over_the_talk_and_goes_by_itself(visitors, stack):
    (alice,) = stack.people("alice")
    room = room_of(stack, alice, said=3)
    page = visitors.come(0, alice)
    page.clock.install()
    page.goto(f"/rooms/{room}/edit/")
    page.get_by_role("button", name="Save").click()
    connected(page)
    expect(page.locator(".notice")).to_be_visible()
    top = page.locator("#conversation").bounding_box()["y"]
    page.clock.run_for(8_000)
    expect(page.locator(".notice")).to_have_count(0)
    assert page.locator("#conversation").bounding_box()["y"] == top


def test_whoever_opened_the_room_is_marked_also_while_here(visitors, stack):
    alice, bob = stack.people("alice", "bob")
    room = room_of(stack, alice, bob)
    page = visitors.come(0, alice)
    page.goto(f"/rooms/{room}/")
    expect(page.locator("#here-list .person-text")).to_have_text("Alice (you)owner")
    expect(page.locator("#members .tag:visible")).to_have_count(0)
