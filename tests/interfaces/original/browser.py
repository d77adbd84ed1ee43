"""People with the original's page (page.js) in a browser each."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from playwright.sync_api import Browser, BrowserContext, Page

from accounts.models import User
from accounts.stand_ins import stand_in
from tests.doors.clients import Rest, until
from tests.stack import Stack

HERE = Path(__file__).parent
PASSWORD = "a long and quiet evening"


class Visitor:
    """`tab` is the page that is looked at; others of the same browser share its cookies."""

    def __init__(self, context: BrowserContext, tab: Page, base: str, home: str, npm: Path) -> None:
        self.context, self.tab, self.base, self.home, self.npm = context, tab, base, home, npm
        self.email = self.name = self.called = ""
        self.open()

    def open(self) -> "Visitor":
        """The page is loaded anew: nothing of what it knew is left."""
        self.tab.goto(self.home)
        for script in (
            self.npm / "sockjs-client" / "dist" / "sockjs.js",
            self.npm / "stompjs" / "lib" / "stomp.js",
            HERE / "page.js",
        ):
            self.tab.add_script_tag(path=str(script))
        self.tab.evaluate("base => { window.it = new OriginalPage(base) }", self.base)
        return self

    def other_tab(self) -> "Visitor":
        other = Visitor(self.context, self.context.new_page(), self.base, self.home, self.npm)
        other.email, other.name, other.called = self.email, self.name, self.called
        return other

    def do(self, call: str, *arguments: Any) -> Any:
        """`it.call(…arguments)`, waited for."""
        return self.tab.evaluate(f"args => it.{call}(...args)", list(arguments))

    def come_in(self, name: str) -> "Visitor":
        self.email = f"{name}-{uuid4().hex[:8]}@example.com"
        self.name = name
        assert self.do("signUp", self.email, PASSWORD)["status"] == 200
        answer = self.do("signIn", self.email, PASSWORD)
        assert answer["status"] == 200 and answer["guard"], answer
        return self

    def creates(self, title: str = "Tea", seats: int = 10) -> str:
        answer = self.do("create", title, seats)
        assert answer["status"] == 200, answer
        return answer["body"]["chatId"]

    def enters(self, chat_id: str) -> None:
        """And is in: their own entering, or who is here, was told."""
        self.do("enter", chat_id)
        until(lambda: self.email in self.do("here"), f"{self.email} is not seen in the room")

    def says(self, chat_id: str, text: str) -> None:
        self.do("say", chat_id, text)
        self.sees(text)

    def sees(self, *texts: str) -> None:
        """Among what is shown; in that order, if several."""
        until(lambda: [one for one in self.texts if one in texts] == list(texts), f"{texts}")

    def rest(self, url: str) -> Rest:
        """Their browser's requests, at another process than their page's."""
        (cookie,) = [one for one in self.context.cookies() if one["name"] == "Authorization"]
        return Rest(url, Cookie=f"Authorization={cookie['value']}", Referer=f"{url}/")

    @property
    def texts(self) -> list[str]:
        return self.do("texts")

    @property
    def lines(self) -> list[dict[str, str]]:
        return self.tab.evaluate("() => it.lines")

    def gone(self) -> None:
        self.context.close()


class Visitors:
    def __init__(self, browser: Browser, stack: Stack, npm: Path) -> None:
        self.browser, self.stack, self.npm = browser, stack, npm
        self.bases = [f"http://localhost:{urlsplit(url).port}" for url in stack.urls]
        self.contexts: list[BrowserContext] = []

    def come(self, name: str, worker: int = 0, origin: str | None = None) -> Visitor:
        """Signed in. `origin` is where their page comes from, if not from the worker itself."""
        # A page of ours allows no scripts but its own; the original's page is a guest in it.
        context = self.browser.new_context(bypass_csp=True, locale="en-GB")
        self.contexts.append(context)
        base = self.bases[worker]
        home = origin or f"{base}/livez"
        visitor = Visitor(context, context.new_page(), base, home, self.npm).come_in(name)
        person = self.stack.run(User.objects.get, email=visitor.email)
        visitor.called = stand_in(person.pk, name)  # by everybody else
        return visitor

    def meet(self) -> tuple[Visitor, Visitor, str]:
        """alice and bob, each at a process of their own, in a room of hers; and its id."""
        alice, bob = self.come("alice", 0), self.come("bob", 1)
        chat_id = alice.creates()
        alice.enters(chat_id)
        bob.enters(chat_id)
        return alice, bob, chat_id

    def leave(self) -> None:
        for context in self.contexts:
            context.close()
