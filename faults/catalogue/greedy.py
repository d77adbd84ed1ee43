"""D7: one account that takes of everything as much as it gets, and in as many places as it can."""

import asyncio
import time
from collections import Counter

from bench.ours import Person
from faults import rest
from faults.catalogue.overload import LIMITS, Flooder
from faults.device import PASSWORD, Account
from faults.run import Run, scenario

ROOMS, POSTS = 60, 60
RATE, BURST = 20, 100  # messages of one person in all rooms, as they are unless somebody sets them
SIGN_IN_WITHIN = 5.0  # seconds; 60 password changes in the queue cost others 11 and more


@scenario(
    "D7", "one account floods sixty rooms and the form for its password",
    environment=LIMITS | {"PASSWORD_RATE": "20"},
)  # fmt: skip
async def greedy(run: Run) -> None:
    """At both workers. It is heard as often as anybody may speak in all rooms together, its
    passwords are looked at two at a time, and who signs in meanwhile does not wait for it."""
    crowd = await run.crowd(4, 4)
    account, other = await Account.made(run.site), await Account.made(run.site)
    rooms = [run.site.room([account.person]) for _ in range(ROOMS)]
    seconds = 20 if run.is_full else 8
    async with crowd.talking(seconds * 4, pause=0.25):
        run.nemesis.begin("greed", f"{seconds} s")
        heard, (answers, waits) = await asyncio.gather(
            _flood(run, account.person, rooms, seconds), _passwords(run, account, other)
        )
        run.nemesis.end("greed", f"{seconds} s")
    # Each worker lets some of a burst go before it hears of the other's.
    run.bound("heard", 2 * BURST + RATE * (seconds + 2), heard, unit="messages")
    run.bound("heard_at_all", BURST, heard, unit="messages", at_least=True)
    run.bound("sign_in", SIGN_IN_WITHIN, max(waits))
    run.note("password_answers", {str(status): count for status, count in answers.items()})
    run.counts["unhandled"] += sum(answers[status] for status in answers if status not in CALM)
    run.bound("passwords_refused", 1, answers[429] + answers[503], unit="", at_least=True)
    await run.judge(crowd)


CALM = (400, 429, 503)


async def _flood(run: Run, person: Person, rooms: list[int], seconds: float) -> int:
    """How much of it was taken."""
    flooders = [Flooder(person, room, number) for number, room in enumerate(rooms)]
    await asyncio.gather(*(one.open(run.site.ports[n % 2]) for n, one in enumerate(flooders)))
    await asyncio.gather(*(one.flood(seconds, 8) for one in flooders))
    await asyncio.sleep(1)  # the last answers
    for one in flooders:
        one.close()
    return sum(len(one.acked) for one in flooders)


async def _passwords(
    run: Run, account: Account, other: Account
) -> tuple[Counter[int], list[float]]:
    """What the changes were answered, and how long somebody else needed to sign in."""
    change = {"current": PASSWORD, "new": "short"}  # the right one: it is not the break that helps

    async def post(number: int) -> int:
        port = run.site.ports[number % 2]
        path = "/api/v1/me/password/"
        return (await rest.ask(port, "PUT", path, account.person, change)).status

    posts = [asyncio.create_task(post(number)) for number in range(POSTS)]
    await asyncio.sleep(0.1)
    waits = []
    for _ in range(3):
        began = time.monotonic()
        await other.sign_in()
        waits.append(time.monotonic() - began)
    return Counter(await asyncio.gather(*posts)), waits
