"""N14: the original's page, whose person goes Back: it does not say so, and its sockets stay."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable

from faults import until
from faults.crowd import Crowd
from faults.device import Account
from faults.original import Browser, PageSocket
from faults.run import Run, scenario

AWAY_WITHIN = 2.0  # seconds: P6
SHOWN_WITHIN = 10.0
AT_ONCE = 0.2  # seconds after an answer in which a line may come that was sent before it
UNMARKED = 7.0  # seconds before a line died of which may be told again: it marks every 5, by a beat
Way = Callable[[], Awaitable[float]]  # how one goes; it says until when one looked
SAID = """
SELECT body, sender_id FROM messaging_event WHERE room_id = %s AND kind = 'message'"""


@scenario(
    "N14",
    "the original's client goes Back, to its list, or dies, while others talk",
    seeds=3,
    short=False,
)
async def goes_back(run: Run) -> None:
    """What nobody saw is told at the next GET read, once; what was seen, and what one said oneself,
    is not; but the last that a dead line brought may be told again. Who went is away at once, for
    those at the other worker, too; unless they come in again before anybody sees that."""
    many, visits = (6, 10) if run.is_full else (4, 4)
    accounts = [await Account.made(run.site) for _ in range(many)]
    crowd = await run.crowd(2, 2, also=[account.person for account in accounts])
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


class Visitor:
    """One browser, and what its person has seen."""

    def __init__(self, run: Run, crowd: Crowd, account: Account, access: str, number: int) -> None:
        self._run, self._crowd, self._me = run, crowd, account.person.id
        self.name, self._worker = f"visitor{number}", number % 2
        self._browser = Browser(access, run.site.ports)
        self._other = crowd.all[1 - self._worker]  # somebody at the other worker
        self._open: list[PageSocket] = []  # of the visit of now
        self._left: list[PageSocket] = []  # by Back
        self._seen, self._perhaps = set[str](), set[str]()
        self._again = set[str]()  # may be told again: nobody knows whether they were seen
        self._told, self._told_now = Counter[str](), set[str]()  # in all visits, in this one
        self._says = 0
        self.away_after: list[float] = []

    async def come_and_go(self, visits: int) -> None:
        dice = self._run.dice
        ways: tuple[tuple[str, Way], ...] = (
            ("Back", self._back),
            ("Back", self._back),
            ("PUT first", self._put_first),
            ("sockets first", self._sockets_first),
            ("a dead line", self._die),
        )
        for _ in range(visits):
            name, how = dice.choice(ways)
            is_quick = dice.random() < 0.4  # in again before anybody sees that they went
            looks, away = dice.uniform(0.5, 1.5), dice.uniform(0.05, 0.5 if is_quick else 1.5)
            await self._come()
            for _ in range(dice.randint(0, 2)):
                await self._say()
            await asyncio.sleep(looks)
            await self._go(name, how, is_quick=is_quick)
            await asyncio.sleep(away)

    async def _come(self) -> None:
        """As its page does; an earlier one may end in the middle of it."""
        missed = await self._browser.missed(self._crowd.room)
        self._told.update(missed)
        self._told_now = set(missed)
        chat, people = self._open = [
            PageSocket(what, self._browser.access) for what in ("chat", "participant")
        ]
        port = self._run.site.ports[self._worker]
        for socket in self._open:
            await socket.open(port, self._browser.cookie, self._crowd.room)
        chat.deed("enter", self._crowd.room)
        for socket in self._left:
            socket.close()
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

    async def _go(self, name: str, how: Way, *, is_quick: bool) -> None:
        began, chat = time.monotonic(), self._open[0]
        self._run.nemesis.begin(name, self.name)
        looked_until = await how()
        self._run.nemesis.end(name, self.name)
        if not is_quick:
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

    async def _die(self) -> float:
        """A killed browser: nobody asks for anything, and no socket says a word."""
        looked_until = time.monotonic()
        for socket in self._open:
            socket.close()
        since = looked_until - UNMARKED
        late = {line["message"] for at, line in self._open[0].heard if at >= since}
        self._again |= self._told_now | late
        return looked_until

    async def _end(self) -> None:
        await asyncio.gather(*(socket.end() for socket in self._open))

    async def judge(self, said: list[tuple[str, int]]) -> None:
        self._told.update(await self._browser.missed(self._crowd.room))
        for socket in self._left:
            socket.close()
        counts = self._run.counts
        theirs = {text for text, sender in said if sender != self._me}
        mine = {text for text, sender in said if sender == self._me}
        sure = self._seen - self._perhaps - self._again
        counts["false_unread"] += sum(self._told[text] for text in (sure & theirs) | mine)
        counts["lost_delivery"] += len(theirs - self._seen - self._perhaps - self._told.keys())
        counts["dup_shown"] += sum(self._told[text] > 1 for text in theirs - sure - self._again)
        counts["phantom"] += len(self._told.keys() - theirs - mine)
        operations = self._run.operations
        operations["told_as_missed"] += self._told.total()
        operations["seen"] += len(sure)
