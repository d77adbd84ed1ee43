"""The original's page: its requests alone, and in a real browser, from our own origin and from
another one."""

import os
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django_redis import get_redis_connection
from playwright.sync_api import Browser

from tests import chromium
from tests.interfaces.original.browser import Visitors
from tests.interfaces.original.page import Page
from tests.stack import Stack, lent

NPM = Path(__file__).resolve().parents[2] / "npm" / "node_modules"


@pytest.fixture
def empty_cache() -> None:
    """Nobody has asked for anything yet, as far as limits know."""
    cache.clear()


@pytest.fixture
def alice(transactional_db: None, empty_cache: None) -> Page:
    return Page("alice").come_in()


@pytest.fixture
def bob(transactional_db: None, empty_cache: None) -> Page:
    return Page("bob").come_in()


@pytest.fixture
def charlie(transactional_db: None, empty_cache: None) -> Page:
    return Page("charlie").come_in()


@pytest.fixture(scope="session")
def npm() -> Path:
    if not (NPM / "done").exists() and not os.environ.get("CI"):
        pytest.skip("`make tests/npm/node_modules/done` installs the STOMP clients (needs npm).")
    return NPM


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_said: Any) -> None:
        pass


@pytest.fixture(scope="session")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Another origin on the same host: an empty page at another port."""
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "index.html").write_text("<!doctype html><title>elsewhere</title>")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def _original(django_db_setup: None, django_db_blocker: Any, elsewhere: str) -> Iterator[Stack]:
    many = dict.fromkeys(("SIGN_UP_RATE", "SIGN_IN_RATE", "API_RATE_NOBODY"), "100000")
    stack = Stack(2, "original", CORS_ALLOWED_ORIGINS=elsewhere, **many)
    yield stack
    stack.close()


@pytest.fixture
def original(_original: Stack, django_db_blocker: Any) -> Iterator[Stack]:
    """Two workers that let pages of `elsewhere` in."""
    _forget_notes()
    with lent(_original, django_db_blocker):
        yield _original


def _forget_notes() -> None:
    """Other tests' rooms and people have the same numbers, in databases of their own."""
    redis = get_redis_connection("default")
    for key in redis.scan_iter("chattalk:original:*"):
        redis.delete(key)


@pytest.fixture(scope="module")
def browser(_original: Stack, npm: Path) -> Iterator[Browser]:
    with chromium.running() as browser:
        yield browser


@pytest.fixture(params=["same origin", "another origin"])
def origin(request: Any, elsewhere: str) -> str | None:
    return elsewhere if request.param == "another origin" else None


@pytest.fixture
def visitors(browser: Browser, original: Stack, npm: Path, elsewhere: str) -> Iterator[Visitors]:
    visitors = Visitors(browser, original, npm)
    yield visitors
    visitors.leave()
