"""What the original's page does, in its own order, with its own libraries, in Chromium."""

import itertools
import time

import pytest

from tests.doors.clients import until

ORDERS = list(itertools.permutations(["put", "chat", "participants"]))


def test_the_whole_day_of_a_page(visitors, origin):
    alice, bob = visitors.come("alice", 0, origin), visitors.come("bob", 1, origin)
    chat_id = alice.creates("차 한 잔", 5)
    assert chat_id in [room["chatId"] for room in bob.do("list")["body"]]
    alice.enters(chat_id)
    bob.enters(chat_id)
    until(lambda: alice.do("here") == [alice.email, bob.called])
    until(lambda: [(one["type"], one["username"]) for one in bob.lines] == [("ENTER", bob.email)])

    alice.says(chat_id, "안녕, bob")
    bob.sees("안녕, bob")
    bob.says(chat_id, "hello")
    alice.sees("안녕, bob", "hello")
    (room,) = bob.do("mine")["body"]
    assert (room["personnel"], room["openUsername"]) == (2, alice.called)

    bob.do("goToList", chat_id)
    until(lambda: alice.do("away") == [bob.called])
    alice.says(chat_id, "you missed this")
    bob.enters(chat_id)
    alice.says(chat_id, "and this is live")
    bob.sees("you missed this", "and this is live")
    assert bob.texts == ["you missed this", "and this is live"]

    bob.do("leave", chat_id)
    until(lambda: alice.do("here") == [alice.email] and alice.do("away") == [])
    until(lambda: alice.lines[-1]["type"] == "LEAVE")
    assert bob.do("mine")["body"] == []
    assert bob.do("signOut")["status"] == 200
    assert not bob.do("isIn")
    assert bob.do("list")["status"] == 401


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_going_to_the_list_loses_and_repeats_nothing_in_any_order(visitors, order):
    alice, bob, chat_id = visitors.meet()
    alice.says(chat_id, "seen")
    bob.sees("seen")
    bob.do("goToList", chat_id, list(order))
    alice.says(chat_id, "missed")
    until(lambda: alice.do("away") == [bob.called])
    alice.says(chat_id, "missed as well")
    bob.enters(chat_id)
    alice.says(chat_id, "live")
    bob.sees("live")
    assert bob.texts == ["missed", "missed as well", "live"]


def test_a_late_put_takes_nothing_of_what_came_since_the_socket_went(visitors):
    alice, bob, chat_id = visitors.meet()
    bob.do("goToList", chat_id, ["chat", "participants"])
    until(lambda: alice.do("away") == [bob.called])
    alice.says(chat_id, "between the two")
    bob.do("goToList", chat_id, ["put"])
    bob.enters(chat_id)
    alice.says(chat_id, "live")
    bob.sees("live")
    assert bob.texts == ["between the two", "live"]


@pytest.mark.parametrize("end", ["another page", "the browser is killed"])
def test_closing_the_tab_is_going_away(visitors, end):
    alice, bob, chat_id = visitors.meet()
    alice.says(chat_id, "seen")
    bob.sees("seen")
    if end == "another page":
        bob.tab.goto("about:blank")
    else:
        bob.tab.close()
        bob.tab = bob.context.new_page()
    until(lambda: alice.do("away") == [bob.called])
    alice.says(chat_id, "missed")
    bob.open().enters(chat_id)
    bob.sees("missed")
    # Who went without a word may not have got the last of what was sent: it is shown again.
    assert bob.texts in (["missed"], ["seen", "missed"][end == "another page" :])


def test_what_is_said_between_the_answer_and_the_subscription_is_shown(visitors):
    alice, bob, chat_id = visitors.meet()
    bob.do("goToList", chat_id)
    until(lambda: alice.do("away") == [bob.called])
    alice.says(chat_id, "missed")
    script = "async id => { it.lines = (await it.ask('GET', `open-chats/read/${id}`)).body }"
    bob.tab.evaluate(script, chat_id)
    alice.says(chat_id, "in the gap")
    bob.do("openChat", chat_id)
    bob.sees("missed", "in the gap")
    alice.says(chat_id, "live")
    bob.sees("missed", "in the gap", "live")


def test_a_subscription_that_is_quicker_than_the_answer_repeats_nothing(visitors):
    alice, bob, chat_id = visitors.meet()
    bob.do("goToList", chat_id)
    until(lambda: alice.do("away") == [bob.called])
    alice.says(chat_id, "missed")
    bob.tab.evaluate("id => { it.lines = []; it.openChat(id) }", chat_id)
    bob.sees("missed")
    script = (
        "async id => { it.lines.unshift(...(await it.ask('GET', `open-chats/read/${id}`)).body) }"
    )
    bob.tab.evaluate(script, chat_id)
    assert bob.texts == ["missed"]


def test_going_back_closes_nothing_and_two_visits_are_one_person(visitors):
    alice, bob, chat_id = visitors.meet()
    bob.enters(chat_id)  # the first visit's sockets are still open
    alice.says(chat_id, "once")
    bob.sees("once")
    assert bob.texts == ["once"]
    until(lambda: alice.do("here") == [alice.email, bob.called])
    assert bob.do("mine")["body"][0]["personnel"] == 2
    bob.do("goToList", chat_id)  # of the second visit; the first one's sockets are still open
    until(lambda: alice.do("away") == [bob.called])
    alice.says(chat_id, "missed")
    bob.enters(chat_id)
    bob.sees("missed")
    assert bob.texts == ["missed"]


@pytest.mark.parametrize("worker", [0, 1], ids=["another process", "its process"])
def test_after_back_nobody_has_read_what_comes(visitors, worker):
    """Whichever process answers the list: the sockets are with bob's own."""
    alice, bob, chat_id = visitors.meet()
    alice.says(chat_id, "seen")
    bob.sees("seen")
    if worker == 1:
        bob.do("goBack")
    else:
        assert bob.rest(visitors.stack.urls[0])("GET", "/api/open-chats").status == 200
    until(lambda: alice.do("away") == [bob.called])
    alice.says(chat_id, "nobody sees it")
    bob.sees("nobody sees it")  # the sockets left open are given it
    time.sleep(6)  # longer than a page's socket takes to say what it has read
    bob.do("say", "", "as a heart-beat: it is there")
    bob.enters(chat_id)
    bob.sees("nobody sees it")
    assert bob.texts == ["nobody sees it"]
    until(lambda: bob.called in alice.do("here"))


def test_put_read_at_another_process_is_seen_and_counts_there(visitors):
    alice, bob, chat_id = visitors.meet()
    alice.says(chat_id, "seen")
    bob.sees("seen")
    answer = bob.rest(visitors.stack.urls[0])("PUT", f"/api/open-chats/read/{chat_id}")
    assert answer.status == 200
    until(lambda: alice.do("away") == [bob.called])
    alice.says(chat_id, "between PUT and DISCONNECT")
    bob.do("goToList", chat_id, ["chat", "participants"])
    bob.enters(chat_id)
    bob.sees("between PUT and DISCONNECT")
    assert bob.texts == ["between PUT and DISCONNECT"]


def test_two_tabs_that_enter_at_once_take_one_seat(visitors):
    alice, bob = visitors.come("alice", 0), visitors.come("bob", 1)
    chat_id = alice.creates()
    alice.enters(chat_id)
    tabs = [bob, bob.other_tab()]
    for tab in tabs:
        tab.do("enter", chat_id)
    for tab in tabs:
        until(lambda tab=tab: bob.email in tab.do("here"))
    assert bob.do("mine")["body"][0]["personnel"] == 2
    entered = [line for line in alice.lines if line["username"] == bob.called]
    assert [line["type"] for line in entered] == ["ENTER"]
    for tab in tabs:  # a second leave gives no second seat back
        tab.do("leave", chat_id)
    until(lambda: alice.do("mine")["body"][0]["personnel"] == 1)
    alice.says(chat_id, "still one")
    assert alice.do("mine")["body"][0]["personnel"] == 1


def test_who_finds_no_seat_is_told_and_neither_reads_nor_speaks(visitors):
    alice, charlie = visitors.come("alice", 0), visitors.come("charlie", 1)
    chat_id = alice.creates("Small", 1)
    alice.enters(chat_id)
    charlie.do("enter", chat_id)
    until(lambda: charlie.texts, "a refusal")
    (refusal,) = charlie.lines
    assert (refusal["type"], refusal["username"]) == ("MESSAGE", "ChatTalk")
    charlie.do("say", chat_id, "let me in")
    alice.says(chat_id, "for members")
    until(lambda: len(charlie.lines) > 1, "a refusal of the message")
    assert "for members" not in charlie.texts
    assert "let me in" not in alice.texts
    assert charlie.do("here") == charlie.do("away") == []


def test_a_long_message_arrives_whole(visitors):
    alice, bob, chat_id = visitors.meet()
    long = "가나다라😀" * 600  # more than 3,000 characters, of several bytes each
    alice.says(chat_id, long)
    bob.sees(long)


def test_a_frame_that_its_library_cuts_in_pieces_is_read_as_one(visitors):
    alice = visitors.come("alice")
    chat_id = alice.creates()
    alice.enters(chat_id)
    pad = "x" * 20_000  # it cuts at 16,384 UTF-16 units
    script = """([id, pad]) => it.chat.send("/send/chat/message", {},
        JSON.stringify({ chatId: id, pad, message: "whole 😀" }))"""
    alice.tab.evaluate(script, [chat_id, pad])
    alice.sees("whole 😀")


def test_its_library_leaves_escapes_in_a_header_so_the_body_says_it_too(visitors):
    alice = visitors.come("alice")
    script = """() => new Promise((done) => {
        const client = Stomp.over(new SockJS(it.base + "/stomp/chat"));
        client.debug = null;
        const token = document.cookie.split("Bearer%20")[1];
        client.connect({ Authorization: `Bearer ${token}` },
            () => client.ws.send("SEND\\nno colon\\n\\n\\0"),
            (frame) => done([frame.headers.message, frame.body]));
    })"""
    header, body = alice.tab.evaluate(script)
    assert body.startswith("This is not STOMP: ")
    assert header == body.replace(":", "\\c")


def test_a_message_that_is_too_long_is_refused_in_the_room(visitors):
    alice, bob, chat_id = visitors.meet()
    before = len(alice.lines)
    alice.do("say", chat_id, "x" * 4001)
    until(lambda: len(alice.lines) > before, "a refusal")
    assert alice.lines[-1]["username"] == "ChatTalk"
    alice.says(chat_id, "short")
    bob.sees("short")
    assert bob.texts == ["short"]


def test_a_cookie_glued_to_the_token_does_no_harm(visitors, origin):
    alice = visitors.come("alice", 0, origin)
    alice.tab.evaluate("() => { document.cookie = 'csrftoken=abc; Path=/' }")
    alice.tab.evaluate("() => { document.cookie = 'zzz=1; Path=/' }")
    glued = alice.tab.evaluate("() => document.cookie.split('Bearer%20')[1]")
    assert "; " in glued, "the trap is not there"
    alice.enters(alice.creates())


@pytest.mark.parametrize("path", ["/stomp/chat", "/stomp/participant"])
def test_the_socket_opens_before_its_library_gives_up(visitors, origin, path):
    """After 2 x (300 ms + round trip) it would fall back to transports that are not there."""
    alice = visitors.come("alice", 0, origin)
    script = """path => new Promise((done) => {
        const socket = new SockJS(it.base + path);
        socket.onopen = () => done(socket.transport);
        socket.onclose = (event) => done(`closed ${event.code}`);
    })"""
    assert [alice.tab.evaluate(script, path) for _ in range(5)] == ["websocket"] * 5


def test_a_page_that_was_opened_without_a_room_harms_nothing(visitors):
    alice = visitors.come("alice")
    alice.do("enter", "")
    assert alice.tab.evaluate("() => it.missed.status") == 404
    until(lambda: alice.tab.evaluate("() => it.chat.connected && it.participants.connected"))
    alice.do("say", "", "nowhere")
    alice.do("goToList", "")
    alice.enters(alice.creates())


def test_signing_out_closes_its_sockets(visitors):
    alice, bob, chat_id = visitors.meet()
    bob.do("signOut")
    closed = "() => it.sockets.every((one) => one.readyState === 3)"
    until(lambda: bob.tab.evaluate(closed), "the sockets are still open")
    alice.says(chat_id, "not for bob")
    until(lambda: alice.do("away") == [bob.called])
    assert "not for bob" not in bob.texts
