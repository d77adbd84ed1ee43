"""The browser that the tests drive: Chromium, in its build without windows where that is installed.

The engine is the same, and starts and opens pages in half the time. CHROMIUM may name another.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium-headless-shell", "chromium", "google-chrome")
OPTIONS = ["--no-sandbox", "--disable-gpu"]


def path() -> str | None:
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def running() -> Iterator[Browser]:
    """For the tests of one file. Skips them where there is none; not in CI, which must have one.

    Its driver's event loop fills this thread as long, though nothing is awaited in it: so Django,
    which would refuse to wait for a database there, is told that it may.
    """
    if path() is None and not os.environ.get("CI"):
        pytest.skip("No browser is installed; CHROMIUM may name one.")
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=path(), args=OPTIONS)
        yield browser
        browser.close()
