"""F1, F2: PostgreSQL fails over to its standby, without the last lines and with all of them."""

import asyncio
import re

from faults.run import Run, scenario
from faults.standby import followed

TOLD = re.compile(r"the database has gone back: (\d+) lines of 1 rooms")
LAST = "SELECT last_seq FROM rooms_room WHERE id = %s"


@scenario("F1", "PostgreSQL fails over to a standby that lacks the tail", seeds=5)
async def tail_lost(run: Run) -> None:
    """What was acknowledged and had not come to the standby is lost: it is counted, and told. All
    else holds for what is there from then on."""
    async with followed(run, in_step=False) as pair:
        crowd = await run.crowd(4, 6)
        async with crowd.talking(300 if run.is_full else 120, pause=0.05):
            await asyncio.sleep(1)
            await asyncio.to_thread(pair.hold_back)
            await asyncio.sleep(run.dice.uniform(1, 2))
            ((head,),) = await asyncio.to_thread(run.site.rows, LAST, crowd.room)
            await asyncio.to_thread(pair.fail_over)
            run.nemesis.end("held back", "standby")
        lost = max(member.taken_back for member in crowd.all)
        told = [int(many) for many in TOLD.findall(run.site.said())]
        await run.judge(crowd)
        acknowledged = run.counts.pop("lost_durable", 0)
        run.note("lost", {"lines": lost, "acknowledged": acknowledged, "head": head})
        run.bound("lines_lost", 1, lost, unit="", at_least=True)  # else it shows nothing
        run.bound("told_by_workers", 2, len(told), unit="", at_least=True)
        run.bound("told_too_few", 0, max(0, lost - max(told, default=0)), unit="")
        run.bound("lost_untold", 0, max(0, acknowledged - lost), unit="")
        run.bound("t_recover", 10)


@scenario("F2", "PostgreSQL fails over to a synchronous standby", seeds=3, short=False)
async def nothing_lost(run: Run) -> None:
    async with followed(run, in_step=True) as pair:
        crowd = await run.crowd(4, 6)
        async with crowd.talking(300 if run.is_full else 120, pause=0.05):
            await asyncio.sleep(run.dice.uniform(1, 3))
            await asyncio.to_thread(pair.fail_over)
        await run.judge(crowd)
        run.bound("told_lost", 0, len(TOLD.findall(run.site.said())), unit="")
        run.bound("t_recover", 10)
