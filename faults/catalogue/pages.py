"""U1, U2: our own page, in browsers, while what it stands on fails."""

import asyncio
import os
import shutil
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from faults.crowd import Crowd
from faults.judge import Room
from faults.nemesis import IMMEDIATE
from faults.run import Absent, Run, scenario

SHOWN = """() => [...document.querySelectorAll("#log .entry")].filter(
    (one) => one.querySelector(".message-body")
).map((one) => [Number(one.dataset.seq), one.querySelector(".message-body").textContent])"""
# What a browser says while it is offline, or is told to come back, as it should be.
HARMLESS = ("net::ERR_", "WebSocket connection to", "status of 503")
SETTLES_WITHIN = 60  # seconds
KEYS_EVERY = 0.5  # seconds between two messages that somebody types


@scenario("U1", "two people in browsers, and all of it: workers, stores, lines", seeds=5)
async def browsers(run: Run) -> None:
    crowd = await run.crowd(2, 1)
    async with _pages(run, crowd, count=2) as pages:
        typed = [
            asyncio.create_task(_type(page, f"typed by {number}", 40 if run.is_full else 22))
            for number, page in enumerate(pages)
        ]
        async with crowd.talking(40, window=1, pause=0.4):
            await _all_of_it(run)
            texts = [text for task in typed for text in await task]
        for page in pages:
            await _settle(page)
        room = await run.room(crowd.room)
        for page in pages:
            run.counts += await _judge(run, page, room, texts)
    await run.judge(crowd, others=True)


@scenario("U2", "a tab is closed while nothing is stored; others of its browser say it", seeds=3)
async def closed_tabs(run: Run) -> None:
    crowd = await run.crowd(2, 1)
    texts: list[str] = []
    async with _pages(run, crowd, count=1) as (page,):
        context = page.context
        for number in range(4 if run.is_full else 2):
            async with run.nemesis.without("postgresql", IMMEDIATE):
                texts += await _type(page, f"typed {number}", 4)
                await page.close()
            tabs = [await _tab(run, context, crowd.room) for _ in range(2)]
            for tab in tabs:
                await _settle(tab)
            page = tabs.pop()
            await tabs.pop().close()
        run.counts += await _judge(run, page, await run.room(crowd.room), texts)
    await run.judge(crowd, others=True)


async def _all_of_it(run: Run) -> None:
    """One after the other, in an order that the dice throw."""
    front = run.site.front

    async def cut() -> None:
        run.nemesis.reset(front)

    async def without(store: str, *how: Any) -> None:
        async with run.nemesis.without(store, *how):
            await asyncio.sleep(1)

    faults = [
        cut,
        lambda: run.nemesis.kill_worker(0),
        lambda: run.nemesis.kill_worker(1),
        lambda: without("redis"),
        lambda: without("postgresql", IMMEDIATE),
    ]
    run.dice.shuffle(faults)
    for fault in faults:
        await asyncio.sleep(1)
        await fault()


async def _type(page: Page, name: str, count: int) -> list[str]:
    texts = [f"{name}, {number}" for number in range(count)]
    for text in texts:
        await page.locator("#body").fill(text)
        await page.locator("#body").press("Enter")
        await asyncio.sleep(KEYS_EVERY)
    return texts


async def _settle(page: Page) -> None:
    """Until nothing waits to be sent any more, or for too long: then it is counted."""
    with suppress(TimeoutError):
        async with asyncio.timeout(SETTLES_WITHIN):
            while await page.locator("#outbox .message").count():
                await asyncio.sleep(0.2)


async def _judge(run: Run, page: Page, room: Room, texts: list[str]) -> Counter:
    """What the page shows, against the log; what was typed, against what is stored."""
    shown = [tuple(one) for one in await page.evaluate(SHOWN)]
    rows = await asyncio.to_thread(
        run.site.rows,
        "SELECT seq, body FROM messaging_event WHERE room_id = %s AND kind = 'message'",
        room.id,
    )
    seqs = [seq for seq, _ in shown]
    bodies = Counter(body for _, body in rows)
    return Counter(
        lost_delivery=len(set(rows) - set(shown)),
        phantom=len(set(shown) - set(rows)),
        dup_shown=len(shown) - len(set(shown)),
        order_err=sum(later <= earlier for earlier, later in zip(seqs, seqs[1:], strict=False)),
        lost_durable=sum(not bodies[text] for text in texts),
        dup_stored=sum(max(0, bodies[text] - 1) for text in texts),
    )


@asynccontextmanager
async def _pages(run: Run, crowd: Crowd, count: int) -> AsyncIterator[list[Page]]:
    """Of people who are members, by the front door; what the pages complain about counts."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        raise Absent("no browser is installed; CHROMIUM may name one")
    url = f"http://127.0.0.1:{run.site.front.port}"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu"]
        )
        pages = [await _page(run, browser, crowd, number, url) for number in range(count)]
        yield pages
        await browser.close()


async def _page(run: Run, browser: Browser, crowd: Crowd, number: int, url: str) -> Page:
    context = await browser.new_context(base_url=url, locale="en-GB")
    session = crowd.all[number].person.session
    await context.add_cookies([{"name": "sessionid", "value": session, "url": url}])
    return await _tab(run, context, crowd.room)


async def _tab(run: Run, context: BrowserContext, room_id: int) -> Page:
    page = await context.new_page()

    def complain(what: str) -> None:
        if not any(word in what for word in HARMLESS):
            run.counts["unhandled"] += 1
            run.figures.setdefault("complaints", []).append(what)

    page.on("pageerror", lambda error: complain(str(error)))
    page.on("console", lambda said: complain(said.text) if said.type == "error" else None)
    await page.goto(f"/rooms/{room_id}/")
    await page.locator("#here-count:not(:empty)").wait_for()
    return page
