"""Many who come and go are one line, however they got into the log."""

from playwright.sync_api import expect

from tests.interfaces.web.talk import messages, room_of, say, until, visit, write
from tests.stack import post


def lines(page):
    """The lines of who came and went that can be seen."""
    return page.locator("#log .quiet:visible")


def folds(page):
    return page.locator("#log .fold button")


def come_in(stack, room, *people):
    for person in people:
        assert post(f"{stack.urls[0]}/rooms/{room}/join/", person) == 200


def test_a_crowd_in_the_history_is_one_line_that_can_be_opened(visitors, stack, shot):
    people = stack.people("alice", "bob", *(f"guest{number}" for number in range(40)))
    room = room_of(stack, *people, said=1)
    page = visitors.come(0, people[1])
    visit(room, page)
    expect(page.locator("#log .entry").first).to_have_attribute("data-seq", "1")
    expect(folds(page)).to_have_count(1)
    expect(folds(page)).to_contain_text("Alice, Bob and 40 others entered")
    expect(folds(page)).to_have_attribute("aria-expanded", "false")
    expect(lines(page)).to_have_count(0)
    shot(page, "crowd-folded")
    folds(page).focus()
    page.keyboard.press("Enter")
    expect(folds(page)).to_have_attribute("aria-expanded", "true")
    expect(folds(page)).to_be_focused()
    expect(lines(page)).to_have_count(42)
    page.keyboard.press("Enter")
    expect(lines(page)).to_have_count(0)


def test_a_crowd_that_comes_while_i_look_folds_and_keeps_my_place(visitors, stack):
    alice, *guests = stack.people("alice", *(f"guest{number}" for number in range(7)))
    room = room_of(stack, alice, said=40)
    page = visitors.come(0, alice)
    visit(room, page)
    come_in(stack, room, *guests[:3])
    expect(lines(page)).to_have_count(4)  # with Alice's own, before what she said
    expect(folds(page)).to_have_count(0)
    come_in(stack, room, *guests[3:5])
    expect(folds(page)).to_contain_text("Guest0, Guest1 and 3 others entered")
    expect(lines(page)).to_have_count(1)
    expect(folds(page)).to_be_in_viewport()
    say(page, "Welcome, all")
    expect(messages(page).last).to_have_text("Welcome, all")
    come_in(stack, room, *guests[5:])
    expect(lines(page)).to_have_count(3)  # another run, and a short one
    expect(folds(page)).to_have_count(1)


def test_who_reads_further_up_stays_where_they_are_while_a_crowd_folds(visitors, stack):
    alice, bob, *guests = stack.people("alice", "bob", *(f"guest{number}" for number in range(5)))
    room = room_of(stack, alice, bob, said=40)
    stack.run(write, room, bob.id, ["so it is"])
    page = visitors.come(0, bob)
    visit(room, page)
    page.locator("#scroller").evaluate("box => box.scrollTop = 600")
    text = messages(page).filter(has_text="line 20").first
    expect(text).to_be_visible()
    before = text.bounding_box()["y"]
    come_in(stack, room, *guests)
    until(page, lambda: folds(page).count() == 1)
    assert abs(text.bounding_box()["y"] - before) < 1


def test_a_new_name_in_a_crowd_is_said_in_its_one_line(visitors, stack):
    people = stack.people("alice", "bob", *(f"guest{number}" for number in range(5)))
    room = room_of(stack, *people, said=1)
    page, other = visitors.come(0, people[1]), visitors.come(1, people[0])
    visit(room, page)
    expect(folds(page)).to_contain_text("Alice, Bob and 5 others entered")
    stack.run(renamed, people[0].id, "Alicia")
    visit(room, other)
    expect(folds(page)).to_contain_text("Alicia, Bob and 5 others entered")
    expect(lines(page)).to_have_count(0)


def test_a_new_name_is_not_read_out_as_if_all_was_said_again(visitors, stack):
    alice, bob = stack.people("alice", "bob")
    room = room_of(stack, alice, bob, said=3)
    page, other = visitors.come(0, bob), visitors.come(1, alice)
    visit(room, page)
    log = page.get_by_role("log")
    expect(log).to_have_attribute("aria-live", "polite")
    page.evaluate(LOUD_CHANGES)
    stack.run(renamed, alice.id, "Alicia")
    visit(room, other)
    expect(log.locator(".message-sender").last).to_have_text("Alicia")
    assert page.evaluate("loudChanges") == 0


# What a screen reader would read out.
LOUD_CHANGES = """() => {
    window.loudChanges = 0;
    const log = document.getElementById("log");
    new MutationObserver(() => {
        if (log.getAttribute("aria-live") !== "off") window.loudChanges += 1;
    }).observe(log, {childList: true, subtree: true});
}"""


def renamed(person_id, name):
    from accounts import services
    from accounts.models import User

    services.edit_profile(User.objects.get(pk=person_id), display_name=name, phone="", language="")
