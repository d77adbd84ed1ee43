"""R7: `manage.py up --reload`: all workers have successors, one by one, while people talk."""

import asyncio
from contextlib import AsyncExitStack

from faults.history import History
from faults.judge import percentile
from faults.kept import kept
from faults.run import Run, scenario
from messaging.live.close_codes import CloseCode

ROOMS, EACH = (10, 20), (2, 10)  # in the full run and in the short one: rooms, people in each
SAYS_EVERY = 1.0  # seconds, each of them
TALK = 15  # messages of each
AWAY_WITHIN = 1.0  # seconds, for 99 of 100; on a quiet machine


@scenario("R7", "a reload: each worker has a successor, while all talk", seeds=5)
async def all_renewed(run: Run) -> None:
    rooms, each = ROOMS if run.is_full else EACH
    crowds = [await run.crowd(each, 0, first=number * each) for number in range(rooms)]
    async with kept(run) as site, AsyncExitStack() as talks:
        for crowd in crowds:
            await talks.enter_async_context(crowd.talking(TALK, pause=SAYS_EVERY))
        await asyncio.sleep(1)
        run.nemesis.begin("reload")
        is_done = await site.reload()
        run.nemesis.end("reload")
    for crowd in crowds:
        await run.judge(crowd)
    away = times_away(run.history)
    run.bound("not_reloaded", 0, not is_done, unit="")
    run.bound("others_ended", 0, len(site.ended()), unit="")
    run.bound("refused", 0, sum(1 for _ in run.history.of("connect", "fail")), unit="")
    closes = {close for crowd in crowds for member in crowd.all for close in member.closes}
    run.bound("other_closes", 0, len(closes - {CloseCode.RESTART}), unit="")
    run.bound("away_p99", AWAY_WITHIN, percentile(away, 0.99))
    run.bound("ack_p99", 2 * AWAY_WITHIN, run.ack_times(0.99))
    run.note("away", {"times": len(away), "p50": round(percentile(away, 0.5), 3)})
    run.note("away_longest", round(max(away), 3))


def times_away(history: History) -> list[float]:
    """Seconds from each close to the next subscription."""
    since: dict[tuple[str, int], float] = {}
    times = []
    for entry in history.entries:
        who = entry.who, entry.room
        if entry.op == "closed":
            since.setdefault(who, entry.at)
        elif (entry.op, entry.phase) == ("connect", "ok") and who in since:
            times.append(entry.at - since.pop(who))
    return times
