"""clients/js in a real browser: a page of the site, and one at another origin."""

import functools
import http.server
import threading
from urllib.parse import urlsplit

import pytest

from tests import chromium
from tests.clients.js.node import ROOT
from tests.doors.clients import PASSWORD, sign_up
from tests.interfaces.web.conftest import browser, visitors  # noqa: F401  (fixtures)
from tests.interfaces.web.talk import room_of
from tests.stack import Stack

SERVED = "/static/client/chattalk.js"
TALK = """async ({ url, options, room: id, body, module }) => {
    const { ChatTalk } = await import(module);
    const chat = (window.chat = new ChatTalk(url, options));
    if (options.email) await chat.join(id);
    const room = (window.room = await chat.enter(id));
    const events = room.events();
    const receipt = await room.send(body);
    for await (const event of events) {
        if (event.kind === "message") return { me: chat.me, receipt, event };
    }
}"""
HEARS = """async (body) => {
    for await (const event of window.room.events()) if (event.body === body) return event.from.name;
}"""


def come(visitors, worker, person, **talk):  # noqa: F811
    page = visitors.come(worker, person)
    page.goto("/")
    options = {"session": True, "as": person.id}
    talk = {"url": None, "options": options, "module": SERVED} | talk
    return page, page.evaluate(TALK.replace("(url, options)", "(url ?? undefined, options)"), talk)


def test_a_page_of_the_site_talks_as_who_is_signed_in(visitors, stack):  # noqa: F811
    alice, bob = stack.people("alice", "bob")
    room = room_of(stack, alice, bob)
    page, said = come(visitors, 0, alice, room=room, body="hello")
    assert said["me"] == {"id": alice.id, "name": "Alice"}
    assert said["event"]["body"] == "hello"
    assert said["event"]["cid"] == said["receipt"]["cid"]
    come(visitors, 1, bob, room=room, body="good evening")
    assert page.evaluate(HEARS, "good evening") == "Bob"


def test_a_page_is_at_once_there_again_when_its_browser_is_online(visitors, stack):  # noqa: F811
    alice, bob = stack.people("alice", "bob")
    room = room_of(stack, alice, bob)
    page, _said = come(visitors, 0, alice, room=room, body="hello")
    page.context.set_offline(True)
    page.wait_for_function("chat.state === 'offline'")
    page.evaluate("void (window.sent = room.send('from nowhere'))")
    come(visitors, 1, bob, room=room, body="meanwhile")
    page.context.set_offline(False)
    assert page.evaluate("sent")["repeated"] is False
    assert page.evaluate(HEARS, "meanwhile") == "Bob"
    assert page.evaluate(HEARS, "from nowhere") == "Alice"


def test_a_page_of_somebody_else_says_nothing(visitors, stack):  # noqa: F811
    alice, bob = stack.people("alice", "bob")
    room = room_of(stack, alice, bob)
    page, _said = come(visitors, 0, alice, room=room, body="hello")
    ended = page.evaluate(
        """async ([as, id]) => {
            const { ChatTalk, Ended } = await import("/static/client/chattalk.js");
            const chat = new ChatTalk(undefined, { session: true, as });
            const error = await chat.room(id).send("by whom?").catch((error) => error);
            return [error instanceof Ended, error.code, chat.state];
        }""",
        [bob.id, room],
    )
    assert ended == [True, 4003, "over"]


QUIET = "/rooms/new/"  # a page that itself sends nothing
KEEPS = """async ([as, id, body]) => {
    const { ChatTalk } = await import("/static/client/chattalk.js");
    const { openUnsent } = await import("/static/js/unsent.js");
    const unsent = await openUnsent(String(as));
    const store = (room) => unsent.store(room, () => "Tea");
    const chat = (window.chat = new ChatTalk(undefined, { session: true, as, store }));
    if (body) chat.room(id).outbox.add(body);
    else await unsent.take(() => true, (room, items) => chat.room(room).outbox.adopt(items));
    return chat.connect().catch((error) => error.message);
}"""


def test_what_a_closed_tab_has_left_is_sent_by_the_next_one(visitors, stack):  # noqa: F811
    """With the store of the site's own pages, over IndexedDB."""
    alice, bob = stack.people("alice", "bob")
    room = room_of(stack, alice, bob)
    listening, _said = come(visitors, 1, bob, room=room, body="hello")
    tab = visitors.come(0, alice)
    tab.goto(QUIET)
    tab.evaluate("(WebSocket.prototype.send = () => {}), null")  # nothing gets out
    assert tab.evaluate(KEEPS, [alice.id, room, "before the end"])["name"] == "Alice"
    tab.wait_for_function(f"chat.room({room}).outbox.underWay !== null")
    tab.close()
    next_tab = visitors.contexts[-1].new_page()
    next_tab.goto(QUIET)
    next_tab.evaluate(KEEPS, [alice.id, room, None])
    assert listening.evaluate(HEARS, "before the end") == "Alice"
    next_tab.wait_for_function(f"!chat.room({room}).outbox.items.length")


@pytest.fixture
def elsewhere():
    """Another origin, with the module and a page."""
    handler = functools.partial(Quiet, directory=ROOT)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        if self.path != "/":
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>Elsewhere</title>")


@pytest.fixture
def named(elsewhere, django_db_setup, django_db_blocker):
    """A process that names the other origin."""
    stack = Stack(1, "elsewhere", CORS_ALLOWED_ORIGINS=elsewhere)
    yield stack
    stack.close()


def test_a_page_at_another_origin_talks_by_ticket(named, elsewhere, browser):  # noqa: F811
    email, _bob = sign_up(named.urls[0], "Bob")
    _email, alice = sign_up(named.urls[0], "Alice")
    room = alice("POST", "/api/v1/rooms/", {"title": "Tea"}).json["id"]
    page = browser.new_page()
    page.goto(elsewhere)
    options = {"email": email, "password": PASSWORD}
    talk = {"url": named.urls[0], "room": room, "body": "from elsewhere", "options": options}
    said = page.evaluate(TALK, talk | {"module": "/clients/js/lib/chattalk.js"})
    assert said["event"]["body"] == "from elsewhere"
    assert said["me"]["name"] == "Bob"
    page.close()


REACHES = "url => fetch(url, { mode: 'no-cors' }).then(() => true, () => false)"


def test_a_page_of_the_internet_reaches_a_site_at_home_by_its_readers_leave(
    stack,
    elsewhere,
    browser,  # noqa: F811
):
    """The browser takes `elsewhere` for a public address; that of the site is a local one."""
    public = f"--ip-address-space-overrides={urlsplit(elsewhere).netloc}=public"
    launched = browser.browser_type.launch(
        executable_path=chromium.path(), args=[*chromium.OPTIONS, public]
    )
    for permissions, is_reached in (([], False), (["local-network-access"], True)):
        page = launched.new_context(permissions=permissions).new_page()
        page.goto(elsewhere)
        assert page.evaluate(REACHES, f"{stack.urls[0]}/livez") is is_reached
    launched.close()
