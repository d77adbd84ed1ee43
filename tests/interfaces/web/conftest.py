"""Real browsers against two real worker processes. Screenshots land in test-artifacts/."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests import chromium

ARTIFACTS = Path(__file__).resolve().parents[3] / "test-artifacts"
HARMLESS = ("net::ERR_", "WebSocket connection to")  # what a browser says while it is offline
SECONDS = 15_000  # ms; how long a page may take on a busy machine

expect.set_options(timeout=SECONDS)


@pytest.fixture(scope="module")
def browser(_stack: Any) -> Iterator[Browser]:
    with chromium.running() as browser:
        yield browser


class Visitors:
    """People with a browser each. What their pages complain about fails the test."""

    def __init__(self, browser: Browser, stack: Any) -> None:
        self.browser, self.stack = browser, stack
        self.contexts: list[BrowserContext] = []
        self.complaints: list[str] = []

    def come(self, worker: int = 0, person: Any = None, **look: Any) -> Page:
        look = {"locale": "en-GB", "viewport": {"width": 1280, "height": 800}} | look
        context = self.browser.new_context(base_url=self.stack.urls[worker], **look)
        context.set_default_timeout(SECONDS)
        self.contexts.append(context)
        if person:
            cookie = {"name": settings.SESSION_COOKIE_NAME, "value": person.session}
            context.add_cookies([cookie | {"url": self.stack.urls[worker]}])
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._hear)
        page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))
        return page

    def _hear(self, message: Any) -> None:
        if message.type == "error" and not any(word in message.text for word in HARMLESS):
            self.complaints.append(message.text)

    def leave(self) -> None:
        for context in self.contexts:
            context.close()


@pytest.fixture
def visitors(browser: Browser, stack: Any) -> Iterator[Visitors]:
    visitors = Visitors(browser, stack)
    yield visitors
    visitors.leave()
    assert visitors.complaints == []


@pytest.fixture
def shot() -> Any:
    ARTIFACTS.mkdir(exist_ok=True)
    return lambda page, name: page.screenshot(path=str(ARTIFACTS / f"{name}.png"))
