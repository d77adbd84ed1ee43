"""H1 to H3: three hosts that share their stores, and people who come through a proxy."""

import asyncio
import time
from collections import Counter

from faults import until
from faults.crowd import Crowd
from faults.hosts import Hosts, three_hosts
from faults.run import HERE_FOR, Run, scenario

BACK_WITHIN = 10.0  # seconds, for who was at the host that went
STORES_BACK_WITHIN = 20.0  # seconds, until all is acknowledged again
CUT_SECONDS, MOVED_SECONDS = 10.0, 5.0  # so long it is, and who was there has moved by then
TELLS_WITHIN = 2.0  # seconds between the time that is told and the real one
SENDERS, LISTENERS, LEAVERS = 6, 6, 2
PROMOTED_AFTER = 1.0  # seconds; whoever runs the stores has to notice first


@scenario("H1", "three hosts: one is cut off, and joins again", seeds=2, short=False)
async def cut_off(run: Run) -> None:
    """Its people go to the others, and it undoes nothing when it is back."""
    async with three_hosts(run) as hosts:
        crowd = await _crowd(run)
        async with crowd.talking(_messages(run), pause=0.05):
            await asyncio.sleep(1)
            run.nemesis.begin("cut off", "host 0")
            hosts.network.cut(0)
            await asyncio.sleep(MOVED_SECONDS)
            went = await _some_go(crowd)
            await asyncio.sleep(CUT_SECONDS - MOVED_SECONDS)
            hosts.network.join(0)
            run.nemesis.end("cut off", "host 0")
            await asyncio.sleep(1)
        await _judge(run, hosts, crowd, went)
        run.bound("ack_longest", BACK_WITHIN, run.ack_times(1.0))


@scenario("H2", "three hosts: one loses its power, and comes back", seeds=2, short=False)
async def powered_off(run: Run) -> None:
    async with three_hosts(run) as hosts:
        crowd = await _crowd(run)
        async with crowd.talking(_messages(run), pause=0.05):
            await asyncio.sleep(1)
            run.nemesis.begin("power off", "host 1")
            hosts.power_off(1)
            await asyncio.sleep(MOVED_SECONDS)
            went = await _some_go(crowd)
            await hosts.power_on(1)
            run.nemesis.end("power off", "host 1")
        await _judge(run, hosts, crowd, went)
        run.bound("ack_longest", BACK_WITHIN, run.ack_times(1.0))


@scenario("H3", "three hosts: each of their stores fails over", seeds=2, short=False)
async def failed_over(run: Run) -> None:
    """PostgreSQL to a synchronous standby, Valkey to its replica; MongoDB's wire is started again.
    Nobody loses what was acknowledged."""
    async with three_hosts(run) as hosts:
        crowd, stores = await _crowd(run), hosts.replicated
        async with crowd.talking(_messages(run), pause=0.05):
            await asyncio.sleep(1)
            run.nemesis.begin("kill -9 and promote", "postgresql")
            await asyncio.to_thread(stores.kill_postgresql)
            await asyncio.sleep(PROMOTED_AFTER)
            await asyncio.to_thread(stores.promote_postgresql)
            run.nemesis.end("kill -9 and promote", "postgresql")
            await asyncio.sleep(2)
            run.nemesis.begin("kill -9 and promote", "redis")
            stores.kill_valkey()
            await asyncio.sleep(PROMOTED_AFTER)
            await asyncio.to_thread(stores.promote_valkey)
            run.nemesis.end("kill -9 and promote", "redis")
            run.nemesis.begin("kill -9 and restart", "mongodb")
            went = await _some_go(crowd)
            await stores.restart_mongodb()
            run.nemesis.end("kill -9 and restart", "mongodb")
        await _judge(run, hosts, crowd, went)
        run.bound("ack_longest", STORES_BACK_WITHIN, run.ack_times(1.0))


def _messages(run: Run) -> int:
    """Of each sender: enough to talk for as long as it goes wrong, and then some."""
    return 600 if run.is_full else 300


async def _crowd(run: Run) -> Crowd:
    crowd = await run.crowd(SENDERS, LISTENERS + LEAVERS)
    everyone = {member.person.id for member in crowd.all}
    if not await until(lambda: all(one.presence.keys() == everyone for one in crowd.all), HERE_FOR):
        run.counts["missing"] += 1
    return crowd


async def _some_go(crowd: Crowd) -> dict[int, float]:
    """For good, in the middle of it; when each of them went, in seconds since 1970."""
    leavers = [crowd.listeners.pop() for _ in range(LEAVERS)]
    await asyncio.gather(*(member.go(goodbye=True) for member in leavers))
    crowd.spare += [member.person for member in leavers]  # they keep their seats
    return {member.person.id: time.time() for member in leavers}


async def _judge(run: Run, hosts: Hosts, crowd: Crowd, went: dict[int, float]) -> None:
    """What was said, who is here, and since when those who went are away."""
    await run.judge(crowd)
    await run.judge_presence(crowd)
    here = {member.person.id for member in crowd.all}
    told: dict[int, tuple[bool, int]] = {}
    deadline = time.monotonic() + HERE_FOR
    while {one for one, (online, _) in told.items() if online} != here:
        if time.monotonic() > deadline:
            break
        await asyncio.sleep(0.1)
        told = await asyncio.to_thread(hosts.away, crowd.room)
    run.counts["ghosts"] += sum(told.get(one, (True, 0))[0] for one in went)
    run.counts["missing"] += sum(not told.get(one, (False, 0))[0] for one in here)
    wrong = [abs(told[one][1] / 1_000_000 - at) for one, at in went.items() if one in told]
    run.bound("away_told_wrong_by", TELLS_WITHIN, max(wrong, default=HERE_FOR))
    run.note("came_back", Counter(member.came for member in crowd.all).most_common())
