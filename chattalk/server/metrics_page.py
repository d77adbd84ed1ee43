"""/metrics of the site, for who shows METRICS_TOKEN; for all others there is no such page.

The kernel deals requests out to the workers of a machine, so the one that is asked asks the others,
by their ports of loopback: figures that jump between workers would add up to nothing.
"""

import asyncio
import hmac
import logging
import urllib.request
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.conf import settings

from core import exposition

WITHIN_SECONDS = 2.0  # a worker that does not answer by then is left out
KIND = b"text/plain; version=0.0.4; charset=utf-8"

logger = logging.getLogger(__name__)

App = Callable[[Any, Any, Any], Awaitable[None]]


def beside(site: App) -> App:
    expected = f"Bearer {settings.METRICS_TOKEN}".encode()

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        shown = dict(scope["headers"]).get(b"authorization", b"")
        if scope["path"] != "/metrics" or not hmac.compare_digest(shown, expected):
            await site(scope, receive, send)
            return
        body = await asyncio.to_thread(_gathered)
        headers = [(b"content-type", KIND), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return answer


def _gathered() -> bytes:
    """This worker's own, and those of `up` and of its other workers."""
    own = exposition.page({"worker": str(settings.WORKER)}).decode()
    if not settings.METRICS_PORT or not settings.WORKER:
        return own.encode()
    first = settings.METRICS_PORT - settings.WORKER
    others = [first + n for n in range(settings.WORKERS + 1) if n != settings.WORKER]
    with ThreadPoolExecutor(len(others)) as threads:
        return merged([own, *threads.map(_page, others)]).encode()


def _page(port: int) -> str:
    try:
        address = f"http://{exposition.LOOPBACK}:{port}/metrics"
        with urllib.request.urlopen(address, timeout=WITHIN_SECONDS) as answer:
            return str(answer.read().decode())
    except OSError as error:
        logger.warning("the metrics at port %s are left out: %s", port, error)
        return ""


def merged(pages: Iterable[str]) -> str:
    """One page, in which the samples of a metric stand together, as the format wants it."""
    found: dict[str, list[str]] = {}
    for page in pages:
        family = ""
        for line in page.splitlines():
            if line.startswith("# HELP "):
                family = line
            elif line.startswith("# TYPE "):
                family = f"{family}\n{line}"
                found.setdefault(family, [])
            else:
                found[family].append(line)
    return "".join("\n".join([head, *rows]) + "\n" for head, rows in found.items())
