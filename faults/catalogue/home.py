"""A24–A27: a busy room's home dies, stands still, is cut off, or is not the only one."""

import asyncio
import re
import time
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

from faults import failing
from faults.crowd import Crowd
from faults.proxy import Proxy
from faults.run import Run, scenario

TOKEN = "asks-what-the-workers-have-counted"
COUNTED = {"METRICS_TOKEN": TOKEN, "LOG_LEVEL": "INFO"}
HANDED = re.compile(r"^chattalk_messages_handed_over_total\{.*\} (\S+)$", re.MULTILINE)
HANDS_WITHIN = 15.0  # seconds; a worker that came is known by then
STILL_SECONDS, CUT_SECONDS = 10.0, 3.0
RECOVERS_WITHIN = 5.0


class Watch:
    """Which worker hands over, and so which is the home: for only that one's faults count."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.seen = 0  # times that a worker was handing over when it was asked

    def _handed(self, number: int) -> float:
        url = f"http://127.0.0.1:{self._run.site.ports[number]}/metrics"
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {TOKEN}"})
        with urllib.request.urlopen(request, timeout=2) as answer:
            return sum(map(float, HANDED.findall(answer.read().decode())))

    async def origins(self) -> list[int]:
        """The workers that hand over just now; none where nobody did in time."""
        deadline = time.monotonic() + HANDS_WITHIN
        while time.monotonic() < deadline:
            before = [await asyncio.to_thread(self._handed, number) for number in (0, 1)]
            await asyncio.sleep(0.1)
            after = [await asyncio.to_thread(self._handed, number) for number in (0, 1)]
            if origins := [n for n in (0, 1) if after[n] > before[n]]:
                self.seen += 1
                return origins
        return []

    async def home(self) -> int:
        origins = await self.origins()
        return 1 - origins[0] if origins else 0


async def _play(run: Run, times: int, fault: Callable[[int], object], each: int) -> Crowd:
    """A room that is written at both workers; its home has the fault, again and again."""
    crowd, watch = await run.crowd(8, 6), Watch(run)
    pauses = run.pauses(times, 0.0, 0.5)
    async with crowd.talking(each, pause=0.025):
        for pause in pauses:
            number = await watch.home()
            await asyncio.sleep(pause)
            await fault(number)  # type: ignore[misc]
    await run.judge(crowd)
    run.bound("handed_over", times, watch.seen, unit="times", at_least=True)
    return crowd


@scenario("A24", "kill -9 of a busy room's home", seeds=10, environment=COUNTED)
async def home_killed(run: Run) -> None:
    """Its people go to the other worker, and stay: so each death has a crowd of its own."""
    for _ in range(5 if run.is_full else 1):
        await _play(run, 1, run.nemesis.kill_worker, 500)
    run.bound("t_recover", RECOVERS_WITHIN)


@scenario("A25", "a busy room's home stands still, and goes on", seeds=3, environment=COUNTED)
async def home_still(run: Run) -> None:
    """What was handed to it meanwhile, it finds when it goes on, and stores nothing of it."""

    async def still(number: int) -> None:
        worker = run.site.workers[number].process
        async with run.nemesis.still(worker.pid, name=worker.name):
            await asyncio.sleep(STILL_SECONDS)

    await _play(run, 3 if run.is_full else 1, still, 1500 if run.is_full else 350)


@scenario("A26", "a busy room's home is cut off from one store alone", seeds=3, environment=COUNTED)
async def home_cut_off(run: Run) -> None:
    """From Redis, by which drafts come to it; then from PostgreSQL, where it would store them."""
    async with _own_lines(run) as lines:
        stores = iter(["redis", "postgresql"] * (2 if run.is_full else 1))

        async def cut(number: int) -> None:
            store = next(stores)
            run.nemesis.begin("cut off", f"worker {number} from {store}")
            lines[number][store].black_hole()
            await asyncio.sleep(CUT_SECONDS)
            lines[number][store].mend()
            run.nemesis.end("cut off", f"worker {number} from {store}")

        times = 4 if run.is_full else 2
        await _play(run, times, cut, 1500 if run.is_full else 600)


@asynccontextmanager
async def _own_lines(run: Run) -> AsyncIterator[list[dict[str, Proxy]]]:
    """Each worker has proxies of its own to the stores."""
    site, lines = run.site, []
    for number, worker in enumerate(site.workers):
        own = {
            store: Proxy(partial(site.stores._reach, store)) for store in ("redis", "postgresql")
        }
        more = dict(worker.environment)
        for store, key in (("redis", "REDIS_URL"), ("postgresql", "DATABASE_URL")):
            await own[store].start()
            usual = f":{site.stores.proxies[store].port}/"
            more[key] = more[key].replace(usual, f":{own[store].port}/")
        await site.restart_worker(number, **more)
        lines.append(own)
    try:
        yield lines
    finally:
        for number, worker in enumerate(site.workers):
            worker.environment = site.environment | COUNTED
            await site.restart_worker(number, **COUNTED)
        for own in lines:
            for proxy in own.values():
                await proxy.stop()


@scenario("A27", "two workers hold each other for a room's home", seeds=3, environment=COUNTED)
async def two_homes(run: Run) -> None:
    """Each hands over what is said at it, and stores what is said at the other one."""
    for number in (0, 1):
        await run.site.restart_worker(number, **COUNTED, **failing("other_home"))
    crowd, watch, both = await run.crowd(8, 6), Watch(run), 0
    async with crowd.talking(900 if run.is_full else 400, pause=0.025):
        began = time.monotonic()
        while not both and time.monotonic() < began + HANDS_WITHIN:
            both += len(await watch.origins()) == 2
        await asyncio.sleep(1.0 if run.is_full else 0.2)
        await run.nemesis.kill_worker(0)
    await run.judge(crowd)
    run.bound("both_handed_over", 1, both, unit="times", at_least=True)
