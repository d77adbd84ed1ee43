"""The conversation page by itself: what it does with text, history, keys and small screens."""

import json
import re

import psycopg
import pytest
from playwright.sync_api import expect

from tests.interfaces.web.talk import messages, room_of, say, sees, visit, waiting, write

MARKUP = "<img src=x onerror=alert(1)><script>alert(2)</script><b>bold</b>"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "reduced_motion": "reduce"}


def test_nothing_a_person_types_is_markup(visitors, stack):
    alice, bob = stack.people(MARKUP[:20], "bob")
    room = room_of(stack, alice, bob, title=MARKUP)
    stack.run(write, room, alice.id, [MARKUP, "javascript:alert(3)"])
    page = visitors.come(0, bob)
    visit(room, page)
    say(page, MARKUP)
    sees(page, MARKUP, "javascript:alert(3)", MARKUP)
    expect(page.locator("#room-title")).to_have_text(MARKUP)
    expect(page.locator("#conversation img, #conversation script, #conversation b")).to_have_count(
        0
    )
    expect(page.locator("#log a")).to_have_count(0)


def test_a_refused_message_says_why_and_can_be_tried_again_or_discarded(visitors, stack, shot):
    (alice,) = stack.people("alice")
    room = room_of(stack, alice)
    page = visitors.come(0, alice)
    visit(room, page)
    say(page, "a bell: \a")
    expect(page.locator("#outbox .is-failed")).to_contain_text("Not sent.")
    say(page, "another one goes its way")
    sees(page, "another one goes its way")
    shot(page, "failed")
    page.get_by_role("button", name="Retry").click()
    expect(page.locator("#outbox .is-failed")).to_contain_text("Not sent.")
    page.get_by_role("button", name="Discard").click()
    expect(waiting(page)).to_have_count(0)


def test_a_message_whose_id_was_taken_is_sent_by_retry(visitors, stack):
    (alice,) = stack.people("alice")
    room = room_of(stack, alice)
    page = visitors.come(0, alice)
    sent = []
    page.on("websocket", lambda wire: wire.on("framesent", lambda frame: sent.append(frame)))
    visit(room, page)
    say(page, "one")
    sees(page, "one")
    taken = next(json.loads(frame) for frame in sent if '"send"' in frame)["cid"]
    kept = json.dumps([{"cid": taken, "body": "two", "at": "2026-11-23T00:00:00Z"}])
    key = f"chattalk:{room}:{alice.id}:outbox"
    page.evaluate("([key, kept]) => sessionStorage.setItem(key, kept)", [key, kept])
    page.reload()
    page.get_by_role("button", name="Retry").click()
    sees(page, "one", "two")


def test_pending_messages_and_the_draft_survive_a_reload(visitors, stack):
    (alice,) = stack.people("alice")
    room = room_of(stack, alice)
    page = visitors.come(0, alice)
    visit(room, page)
    page.context.set_offline(True)
    say(page, "written in a tunnel")
    page.locator("#body").fill("half a sent")
    expect(waiting(page)).to_have_text(["written in a tunnel"])
    page.context.set_offline(False)
    page.reload()
    sees(page, "written in a tunnel")
    expect(page.locator("#body")).to_have_value("half a sent")


def test_everything_goes_by_keyboard(visitors, stack):
    (alice,) = stack.people("alice")
    room = room_of(stack, alice)
    page = visitors.come(0, alice)
    visit(room, page)
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "body":
            break
    page.keyboard.type("one line")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("and another")
    page.keyboard.press("Enter")
    sees(page, "one line\nand another")
    assert page.evaluate("document.activeElement.id") == "body"


def test_the_enter_that_ends_a_korean_syllable_does_not_send(visitors, stack):
    (alice,) = stack.people("alice")
    room = room_of(stack, alice)
    page = visitors.come(0, alice)
    visit(room, page)
    page.locator("#body").fill("안녕")
    page.locator("#body").dispatch_event("keydown", {"key": "Enter", "isComposing": True})
    page.locator("#body").dispatch_event("keydown", {"key": "Enter", "keyCode": 229})
    expect(page.locator("#body")).to_have_value("안녕")
    page.locator("#body").press("Enter")
    sees(page, "안녕")


def test_drawers_on_a_phone_open_close_by_escape_and_give_the_focus_back(visitors, stack, shot):
    (alice,) = stack.people("alice")
    room = room_of(stack, alice)
    page = visitors.come(0, alice, **PHONE, color_scheme="dark")
    visit(room, page)
    for name, panel in (("My rooms", "#side-rooms"), ("People", "#side-people")):
        button = page.get_by_role("button", name=name, exact=True)
        button.click()
        expect(page.locator(panel)).to_be_in_viewport()
        expect(page.locator(f"{panel} .side-close")).to_be_focused()
        expect(page.get_by_role("dialog", name=name)).to_be_visible()
        for _ in range(6):  # what lies under can't be reached
            page.keyboard.press("Tab")
            inside = "panel => panel.contains(document.activeElement) || !document.hasFocus()"
            outside = "document.activeElement === document.body"
            assert page.locator(panel).evaluate(inside) or page.evaluate(outside)
        shot(page, f"phone{panel.replace('#', '-')}")
        page.keyboard.press("Escape")
        expect(page.locator(panel)).to_be_hidden()
        expect(button).to_be_focused()


def test_closing_and_leaving_are_seen_at_once(visitors, stack):
    alice, bob = stack.people("alice", "bob")
    room = room_of(stack, alice, bob)
    page = visitors.come(0, bob)
    visit(room, page)
    owner = visitors.come(1, alice)
    owner.goto(f"/rooms/{room}/")
    token = owner.locator("[name=csrfmiddlewaretoken]").first.input_value()
    owner.request.post(f"/rooms/{room}/close/", form={"csrfmiddlewaretoken": token})
    expect(page.locator("#closed")).to_contain_text("This room is closed.")
    expect(page.locator("#composer")).to_be_hidden()
    page.get_by_label("Room menu").click()
    page.get_by_role("button", name="Leave the room…").click()
    page.get_by_role("dialog").get_by_role("button", name="Leave the room").click()
    page.wait_for_url(re.compile(r"^http://[^/]+/$"))
    page.goto(f"/rooms/{room}/")
    expect(page.get_by_text("This room is closed. Nobody can join it any more.")).to_be_visible()


@pytest.mark.parametrize("look", ["light", "dark"])
def test_korean_pages_speak_korean(visitors, stack, shot, look):
    alice, bob = stack.people("유진", "보람")
    room = room_of(stack, alice, bob, said=3, title="차 한잔")
    page = visitors.come(0, bob, locale="ko-KR", color_scheme=look, timezone_id="Asia/Seoul")
    visit(room, page)
    say(page, "반갑습니다")
    expect(messages(page)).to_have_count(4)
    assert page.locator("html").get_attribute("lang") == "ko"
    assert re.search("오전|오후", page.locator("#log time").last.text_content())
    shot(page, f"korean-{look}")


def test_a_server_that_can_store_nothing_is_said_calmly_and_nothing_has_to_be_sent_again(
    visitors, stack, shot
):
    (alice,) = stack.people("alice")
    room = room_of(stack, alice)
    page = visitors.come(0, alice, **PHONE)
    visit(room, page)
    strip = page.locator("#connection")
    with psycopg.connect(stack.environment["DATABASE_URL"]) as holder:
        holder.execute("SELECT 1 FROM rooms_room WHERE id = %s FOR UPDATE", [room])
        say(page, "as soon as you can")
        expect(page.locator("#outbox .message-sending")).to_have_text("Sending…")
        expect(strip).to_contain_text("The server has trouble.")
        expect(page.locator("#outbox .message-sending")).to_have_text("Waiting…")
        expect(waiting(page)).to_have_text("as soon as you can")
        shot(page, "trouble")
    sees(page, "as soon as you can")
    expect(waiting(page)).to_have_count(0)
    expect(strip).not_to_contain_text("The server has trouble.")


def test_a_new_name_stands_at_the_lines_that_are_shown_already(stack, visitors):
    alice, bob = stack.people("alice", "bob")
    room = room_of(stack, alice, bob, said=1)
    reader, other = visitors.come(person=bob), visitors.come(1, alice)
    visit(room, reader, other)
    expect(reader.locator("#log .message-sender")).to_have_text(["Alice"])
    tab = other.context.new_page()
    tab.goto("/accounts/profile/")
    tab.locator("[name=display_name]").fill("Alicia")
    tab.locator("main form button[type=submit]").first.click()
    expect(reader.locator("#here-list")).to_contain_text("Alicia")
    expect(reader.locator("#log .message-sender")).to_have_text(["Alicia"])
    expect(reader.locator("#log .quiet").first).to_contain_text("Alicia entered")
    say(other, "it is me")
    sees(reader, "line 1", "it is me")
    expect(reader.locator("#log .message-sender")).to_have_text(["Alicia", "Alicia"])
