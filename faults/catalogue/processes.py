"""A1–A6: the death, the pause and the restart of a worker."""

import asyncio
import time

from faults import WORD, failing
from faults.run import Run, scenario
from messaging.live.close_codes import CloseCode

# A restart, or a line that died with it.
PARTING = {CloseCode.GOING_AWAY, CloseCode.RESTART, CloseCode.NO_CODE}


@scenario("A1", "kill -9 of a worker in the middle of a talk", seeds=20)
async def worker_killed(run: Run) -> None:
    """Eight talk and eight listen at both. The one is killed, then the other, to which all went."""
    crowd = await run.crowd(8, 8)
    pauses = run.pauses(5 if run.is_full else 3, 0.3, 2.0)
    async with crowd.talking(500 if run.is_full else 200, pause=0.01):
        for number, pause in enumerate(pauses):
            await asyncio.sleep(pause)
            await run.nemesis.kill_worker(number % 2)
    await run.judge(crowd)
    run.bound("t_recover", 5)
    await run.judge_presence(crowd)
    came_back = run.operations["came_back"] / len(pauses)
    run.bound("came_back", 6, came_back, unit="at each", at_least=True)


@scenario("A2", "kill -9 between COMMIT and fan-out", seeds=5)
async def killed_after_commit(run: Run) -> None:
    await _die_at(run, "after_commit")
    run.bound("staleness", 25)


@scenario("A3", "kill -9 between fan-out and acknowledgement", seeds=5)
async def killed_after_publish(run: Run) -> None:
    await _die_at(run, "after_publish")


@scenario("A4", "kill -9 before COMMIT", seeds=5)
async def killed_before_commit(run: Run) -> None:
    await _die_at(run, "before_commit")


async def _die_at(run: Run, failpoint: str) -> None:
    """A message kills the worker that takes it; its sender says it again to the other one. Nobody
    else talks, so nothing else makes the listeners look."""
    await run.site.restart_worker(0, **failing(failpoint))
    crowd = await run.crowd(1, 6, ports=run.site.ports, listen_at=run.site.ports[1:])
    sender, worker = crowd.senders[0], run.site.workers[0]
    await sender.say("so far all is well")
    run.nemesis.begin(failpoint)
    answer = sender.say(WORD)
    await asyncio.to_thread(worker.process.wait)
    died_at = time.monotonic()
    run.nemesis.end(failpoint)
    worker.environment = run.site.environment
    await run.nemesis.start_worker(0)
    async with asyncio.timeout(60):
        seq = await answer
    await crowd.settle()
    shown = [entry.at for entry in run.history.of("show", "ok") if entry.seq == seq]
    run.staleness.append(max(0.0, max(shown) - died_at))
    await run.judge(crowd)


@scenario("A5", "a worker stands still for 60 s, and goes on", seeds=2, short=False)
async def worker_paused(run: Run) -> None:
    """Its clients leave it after their ping is not answered; then it comes back and finds them
    gone, with what it had half done."""
    crowd = await run.crowd(6, 6)
    pid, left_behind = run.site.workers[0].process.pid, crowd.all[::2]
    async with crowd.talking(1500, pause=0.03):
        await asyncio.sleep(2)
        async with run.nemesis.still(pid, name="worker 0"):
            moved = await crowd.moved(left_behind, 60)
            await asyncio.sleep(max(0, 60 - moved))
    run.bound("moved", 45, moved)
    await run.judge(crowd)
    await run.judge_presence(crowd)
    run.bound("t_recover", 5)


@scenario("A6", "orderly restart of both workers, one after the other, under load", seeds=5)
async def deploy(run: Run) -> None:
    crowd = await run.crowd(8, 8)
    async with crowd.talking(600 if run.is_full else 300, pause=0.02):
        for number in range(len(run.site.workers)):
            await asyncio.sleep(1)
            await run.nemesis.deploy(number)
    await run.judge(crowd)
    closes = [code for member in crowd.all for code in member.closes]
    run.counts["unhandled"] += sum(code not in PARTING for code in closes)
    run.bound("handshakes_5xx", 0, run.handshakes_5xx(), unit="")
    run.bound("t_caught_up", 10)
