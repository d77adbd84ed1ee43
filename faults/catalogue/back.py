"""N14: the original's page, whose person goes Back: it does not say so, and its sockets stay."""

import asyncio
import time
from collections import Counter

from faults import until
from faults.crowd import Crowd
from faults.device import Account
from faults.member import Member
from faults.page import Browser, Line
from faults.run import Run, scenario

AWAY_WITHIN = 2.0  # seconds: P6
SHOWN_WITHIN = 10.0
AT_ONCE = 0.2  # seconds after an answer in which a line may come that was sent before it
SAID = """
SELECT body, sender_id FROM messaging_event WHERE room_id = %s AND kind = 'message'"""


@scenario(
    "N14",
    "the original's client goes Back, or to its list, while others talk",
    seeds=3,
    short=False,
)
async def goes_back(run: Run) -> None:
    """What nobody saw is told at the next GET read, once; what was seen, and what one said oneself,
    is not. Who went is away at once, for those at the other worker, too."""
    many, visits = (6, 10) if run.is_full else (4, 4)
    accounts = [await Account.made(run.site) for _ in range(many)]
    crowd = await _crowd(run, accounts)
    visitors = [
        Visitor(run, crowd, account, (await account.sign_in())["access"], number)
        for number, account in enumerate(accounts)
    ]
    async with crowd.talking(visits * 30, pause=0.1):
        await asyncio.gather(*(one.come_and_go(visits) for one in visitors))
    said = await asyncio.to_thread(run.site.rows, SAID, crowd.room)
    for one in visitors:
        await one.judge(said)
    run.bound("away_after", AWAY_WITHIN, max(at for one in visitors for at in one.away_after))
    run.operations["visits"] += many * visits
    await run.judge(crowd, others=True)


async def _crowd(run: Run, accounts: list[Account]) -> Crowd:
    """Those who talk, at one worker each; the visitors have seats, too."""
    people = await asyncio.to_thread(run.site.take, 4)
    seated = [account.person for account in accounts]
    room, ports = run.site.room([*people, *seated]), run.site.ports
    members = [
        Member(
            f"sender{n}", person, room, [*ports[n % 2 :], *ports[: n % 2]], run.history, run.dice
        )
        for n, person in enumerate(people)
    ]
    crowd = Crowd(run, room, members[:2], members[2:], seated)
    run.crowds.append(crowd)
    await crowd.come()
    return crowd


class Visitor:
    """One browser, and what its person has seen."""

    def __init__(self, run: Run, crowd: Crowd, account: Account, access: str, number: int) -> None:
        self._run, self._crowd, self._me = run, crowd, account.person.id
        self.name, self._worker = f"visitor{number}", number % 2
        self._browser = Browser(access, run.site.ports)
        self._other = crowd.all[1 - self._worker]  # somebody at the other worker
        self._open: list[Line] = []  # of the visit of now
        self._left: list[Line] = []  # by Back
        self._seen, self._perhaps = set[str](), set[str]()
        self._told = Counter[str]()
        self._says = 0
        self.away_after: list[float] = []

    async def come_and_go(self, visits: int) -> None:
        dice = self._run.dice
        for _ in range(visits):
            how = dice.choice((self._back, self._back, self._put_first, self._sockets_first))
            looks, away = dice.uniform(0.5, 1.5), dice.uniform(0.5, 1.5)
            await self._come()
            for _ in range(dice.randint(0, 2)):
                await self._say()
            await asyncio.sleep(looks)
            await self._go(how)
            await asyncio.sleep(away)

    async def _come(self) -> None:
        """As its page does; an earlier one may end in the middle of it."""
        self._told.update(await self._browser.missed(self._crowd.room))
        chat, people = self._open = [
            Line(what, self._browser.access) for what in ("chat", "participant")
        ]
        port = self._run.site.ports[self._worker]
        for line in self._open:
            await line.open(port, self._browser.cookie, self._crowd.room)
        chat.deed("enter", self._crowd.room)
        for line in self._left:
            line.close()
        self._left = []
        is_here = await until(lambda: self._is_shown() and bool(people.heard), SHOWN_WITHIN)
        self._run.counts["missing"] += not is_here

    def _is_shown(self) -> bool:
        return self._me in self._other.presence

    async def _say(self) -> None:
        text = f"{self.name} says {self._says}"
        self._says += 1
        chat = self._open[0]
        chat.deed("message", self._crowd.room, message=text)
        heard = await until(lambda: any(m["message"] == text for _, m in chat.heard), SHOWN_WITHIN)
        self._run.counts["unconverged"] += not heard

    async def _go(self, how) -> None:  # type: ignore[no-untyped-def]
        began, chat = time.monotonic(), self._open[0]
        self._run.nemesis.begin(how.__name__, self.name)
        looked_until = await how()
        self._run.nemesis.end(how.__name__, self.name)
        await until(lambda: not self._is_shown(), SHOWN_WITHIN)
        self._run.counts["ghosts"] += self._is_shown()
        self.away_after.append(time.monotonic() - began)
        for at, line in chat.heard:
            if line["type"] == "MESSAGE" and at <= looked_until + AT_ONCE:
                (self._seen if at < began else self._perhaps).add(line["message"])

    async def _back(self) -> float:
        """The browser's: the list is fetched, and the sockets stay."""
        await self._browser.list()
        self._left = self._open
        return time.monotonic()

    async def _put_first(self) -> float:
        """ "Go to list", as it is in two of ten."""
        await self._browser.put(self._crowd.room)
        looked_until = time.monotonic()
        await self._end()
        await self._browser.list()
        return looked_until

    async def _sockets_first(self) -> float:
        await self._end()
        looked_until = time.monotonic()
        await self._browser.put(self._crowd.room)
        await self._browser.list()
        return looked_until

    async def _end(self) -> None:
        await asyncio.gather(*(line.end() for line in self._open))

    async def judge(self, said: list[tuple[str, int]]) -> None:
        self._told.update(await self._browser.missed(self._crowd.room))
        for line in self._left:
            line.close()
        counts = self._run.counts
        theirs = {text for text, sender in said if sender != self._me}
        mine = {text for text, sender in said if sender == self._me}
        sure = self._seen - self._perhaps
        counts["false_unread"] += sum(self._told[text] for text in (sure & theirs) | mine)
        counts["lost_delivery"] += len(theirs - self._seen - self._perhaps - self._told.keys())
        counts["dup_shown"] += sum(self._told[text] > 1 for text in theirs - sure)
        counts["phantom"] += len(self._told.keys() - theirs - mine)
        operations = self._run.operations
        operations["told_as_missed"] += self._told.total()
        operations["seen"] += len(sure)
