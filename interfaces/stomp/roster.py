"""The participants of a room: one list for all who watch it, made anew when something changes."""

import asyncio
import logging
from collections.abc import Callable

from core.postgresql.reads import Unavailable
from interfaces.stomp.bodies import People
from messaging import log
from messaging.live.node import Node
from messaging.log.event import Person

logger = logging.getLogger(__name__)

GATHER_SECONDS = 0.1  # changes wait so long for others
BETWEEN_SECONDS = 0.25  # two lists of one room
CROWD = 200  # people; of more the lists are long, and rarer
BETWEEN_CROWD_SECONDS = 1.0
RETRY_SECONDS = 1.0  # while the database does not answer

Show = Callable[[People], None]


class Roster:
    """The list of one room; it lives while somebody watches."""

    def __init__(self, node: Node, room_id: int) -> None:
        self._node = node
        self._room_id = room_id
        self._watchers: dict[Show, str] = {}  # what each was shown last
        self._members: list[tuple[int, str]] | None = None
        self._stirred = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def watch(self, show: Show) -> None:
        self._watchers.setdefault(show, "")
        self.stir()

    def unwatch(self, show: Show) -> bool:
        """True if nobody watches any more."""
        self._watchers.pop(show, None)
        if not self._watchers and self._task is not None:
            self._task.cancel()
            self._task = None
        return not self._watchers

    def stir(self, *, seats: bool = False) -> None:
        """Someone came or went; or took a seat or gave one back."""
        if seats:
            self._members = None
        self._stirred.set()
        if self._task is None and self._watchers:
            self._task = asyncio.get_running_loop().create_task(self._keep())

    def rename(self, user: Person) -> None:
        members = self._members or []
        if not members:  # they are being read, maybe as they were
            self._members = None
        elif any(user_id == user.id for user_id, _ in members):
            self._members = [
                (user_id, user.name if user_id == user.id else name) for user_id, name in members
            ]
            self.stir()

    async def _keep(self) -> None:
        while True:
            await self._stirred.wait()
            await asyncio.sleep(GATHER_SECONDS)
            self._stirred.clear()
            try:
                people = await self._people()
            except Unavailable:
                logger.info("room %s: who takes part is told later", self._room_id)
                await asyncio.sleep(RETRY_SECONDS)
                self._stirred.set()
                continue
            self._show(People(people))
            is_crowd = len(people) > CROWD
            await asyncio.sleep(BETWEEN_CROWD_SECONDS if is_crowd else BETWEEN_SECONDS)

    async def _people(self) -> list[tuple[int, str, bool]]:
        """Number, name, and whether they are here."""
        while (members := self._members) is None:
            self._members = []  # a change that comes while we read makes it None again
            try:
                rows = await self._node.reads.rows(log.MEMBERS, room=self._room_id)
            except Unavailable:
                self._members = None
                raise
            if self._members is not None:
                self._members = [(user_id, name) for user_id, name in rows]
        here = self._node.presence.people(self._room_id)
        return [(user_id, name, user_id in here) for user_id, name in members]

    def _show(self, people: People) -> None:
        for show, shown in list(self._watchers.items()):
            if shown != people.body:
                self._watchers[show] = people.body
                show(people)


class Rosters:
    """The lists of one process, by room."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._rosters: dict[int, Roster] = {}

    def watch(self, room_id: int, show: Show) -> None:
        self._rosters.setdefault(room_id, Roster(self._node, room_id)).watch(show)

    def unwatch(self, room_id: int, show: Show) -> None:
        if (roster := self._rosters.get(room_id)) and roster.unwatch(show):
            del self._rosters[room_id]

    def stir(self, room_id: int, *, seats: bool = False) -> None:
        if roster := self._rosters.get(room_id):
            roster.stir(seats=seats)

    def rename(self, user: Person) -> None:
        """Also in the lists of those where they are not here."""
        for roster in self._rosters.values():
            roster.rename(user)
