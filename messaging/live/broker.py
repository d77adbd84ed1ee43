"""The channel layer's one home: a hint to the other processes, never the truth.

One group member per room and process. What is told may be lost, late or repeated; the hub sees
that by `seq` and asks the database. So nothing here is waited for by a sender, and while the
layer is down what would be told is dropped; nobody who comes waits for it, and one task of ours
goes on asking.

The lines of many rooms go in one message to all processes, where that is heard less often than one
to each room's own group; what nobody else would hear is not told (hearers.py).
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Collection, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import Any

import msgspec
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import connections
from redis.exceptions import RedisError

from core import redis
from core.breaker import AskingByTask
from core.tasks import end
from messaging.live import entries
from messaging.live.entries import EntryBatch
from messaging.live.hearers import Hearers, KeptBack, Place

logger = logging.getLogger(__name__)

TELL_SECONDS = 2.0  # a layer that takes longer counts as down
JOIN_SECONDS = 0.5  # that somebody who comes waits, to hear of the room from the first moment on
BREAK_SECONDS = 1.0  # between two questions while it is down
BACKLOG_MAX = 2_000  # messages
FAILURES = (RedisError, OSError, TimeoutError)
NOBODY = 0  # no room: who asks whether the layer is there tells nobody
PEOPLE = -1  # no room: what is of a person goes to all processes
HELLO = "hello"  # the type of a message: who tells it hears of these rooms from here on
HEADS = "heads"  # up to there logs have come, and nobody was told


def group(room_id: Place) -> str:
    """One site's alone, though another may share its Redis: both have a room 1."""
    return f"{_mark(settings.REDIS_URL, connections.settings['default']['NAME'])}.room.{room_id}"


_mark = cache(redis.mark)


def packed(room_id: Place, by: str, content: Mapping[str, Any]) -> bytes:
    """What goes over the layer: with its `type`, the room, and the process that tells it, which
    stands first. Earlier releases read that, too, and pass over a `type` that they do not know."""
    return msgspec.msgpack.encode({"by": by, **content, "room": room_id})


def lines_told(rooms: Mapping[int, Sequence[EntryBatch]]) -> Iterator[tuple[int, dict[str, Any]]]:
    """For each room a message, for who does not know what is heard elsewhere."""
    for room_id, batches in rooms.items():
        yield room_id, entries.message([(room_id, entries.told_of(each)) for each in batches])


class Broker:
    """This process's side of the layer. `heard(room_id, message)` gets what others told; `deaf`
    is called when it heard nothing of some rooms for a while, and hears of them now; `unheard`
    when what was told to one process has come to nobody."""

    def __init__(
        self,
        process: str,
        heard: Callable[[Any, dict[str, Any]], None],
        deaf: Callable[[], None] = lambda: None,
    ) -> None:
        self._process = process
        self.unheard: Callable[[str], None] = lambda process: None
        self._ours = msgspec.msgpack.encode({"by": process})[1:]  # so begins what we told
        self._heard, self._deaf = heard, deaf
        self._layer = get_channel_layer()
        self._layer.heard_again = self._heard_again
        self._channel: str | None = None
        self._wanted: set[Place] = set()
        self._joined: set[Place] = set()
        self._greeted: set[Place] = set()  # joined, and the others know it
        self._hearers, self._kept_back = Hearers(PEOPLE), KeptBack()
        self._backlog: deque[tuple[Place, dict[str, Any]]] = deque(maxlen=BACKLOG_MAX)
        self._lines: deque[tuple[int, msgspec.Raw]] = deque(maxlen=BACKLOG_MAX)
        self._teller: asyncio.Task[None] | None = None
        self.breaker = self._new_breaker()
        self._was_deaf = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._changing = asyncio.Lock()

    async def join(self, room_id: Place) -> None:
        """Hear what is told of the room; if the layer is slow or down, as soon as it is not."""
        self._wanted.add(room_id)
        if not self.breaker.is_down:
            await asyncio.wait([self._start(self.catch_up())], timeout=JOIN_SECONDS)
        self._was_deaf |= room_id not in self._joined

    def drop(self, room_id: Place) -> None:
        """Hear no more of it: from the next `catch_up` on."""
        self._wanted.discard(room_id)

    async def catch_up(self) -> None:
        """Make the groups what they should be; called again until it succeeds."""
        # One at a time: a room that is joined again while it is being dropped would stay out.
        async with self._changing:
            if self.breaker.is_down:
                return
            try:
                await self._change_groups()
            except FAILURES as error:
                self.breaker.failed(error)
        if self._was_deaf and self._wanted <= self._joined:
            self._was_deaf = False
            self._deaf()

    async def _change_groups(self) -> None:
        async with asyncio.timeout(TELL_SECONDS):
            await self._change_each()

    async def _change_each(self) -> None:
        if self._channel is None:
            self._channel = self._layer.hear(self._take)
        if new := self._wanted - self._joined:
            await self._layer.join_groups(map(group, new), self._channel)
            self._joined |= new
        for room_id in self._joined - self._wanted:
            await self._layer.group_discard(group(room_id), self._channel)
            self._joined.discard(room_id)
        self._greeted &= self._joined
        if strange := self._joined - self._greeted:
            await self._send([(PEOPLE, {"type": HELLO, "rooms": list(strange)})])
            self._greeted |= strange

    # --- to tell --------------------------------------------------------------------------------

    def publish(self, room_id: Place, content: dict[str, Any]) -> None:
        """Hand it to the other processes that hold the room, soon and at best."""
        if not self.breaker.is_down and not self._hearers.is_alone:
            self._put(room_id, content)
            return
        if not self.breaker.is_down:
            self._kept_back.message(room_id, content)
        self._lost([(room_id, content)])

    def publish_lines(self, rooms: Mapping[int, Sequence[EntryBatch]]) -> None:
        """The same with lines of logs."""
        if self.breaker.is_down:
            return
        is_alone = self._hearers.is_alone
        for room_id, batches in rooms.items():
            if is_alone or self._hearers.others(room_id) == 0:
                self._kept_back.lines(room_id, batches[-1].last)
            else:
                self._lines.extend((room_id, entries.told_of(each)) for each in batches)
        if self._lines:
            self._stir()

    def _put(self, room_id: Place, content: dict[str, Any]) -> None:
        self._backlog.append((room_id, content))
        self._stir()

    def _stir(self) -> None:
        if self._teller is None:
            self._teller = asyncio.get_running_loop().create_task(self._tell())

    async def _tell(self) -> None:
        told: list[tuple[Place, dict[str, Any]]] = []
        try:
            while self._backlog or self._lines:  # what gathers meanwhile goes together
                told = [*self._backlog, *self._messages(self._lines)]
                self._backlog.clear()
                self._lines.clear()
                await self._send(told)
        except FAILURES as error:
            told += self._backlog
            self._backlog.clear()
            self._lines.clear()
            self.breaker.failed(error)
            self._lost(told)
        finally:
            self._teller = None

    def _lost(self, told: Iterable[tuple[Place, dict[str, Any]]]) -> None:
        """Nobody has heard it, or we don't know of anybody who has."""
        for place in {place for place, _ in told if isinstance(place, str)}:
            self.unheard(place)

    def _messages(
        self, lines: Sequence[tuple[int, msgspec.Raw]]
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        """One message for all rooms, if it is heard less often than one to each of them."""
        rooms: dict[int, list[tuple[int, msgspec.Raw]]] = {}
        for each in lines:
            rooms.setdefault(each[0], []).append(each)
        others = {room_id: self._hearers.others(room_id) for room_id in rooms}
        everywhere = self._hearers.others(PEOPLE)
        if everywhere is not None and sum(filter(None, others.values())) > everywhere:
            known = [room_id for room_id, many in others.items() if many is not None]
            together = [each for room_id in known for each in rooms.pop(room_id)]
            yield PEOPLE, entries.message(together)
        for room_id, some in rooms.items():
            yield room_id, entries.message(some)

    async def _send(self, told: Sequence[tuple[Place, dict[str, Any]]]) -> None:
        asked = self._hearers.ask()
        messages = [
            (group(room_id), packed(room_id, self._process, content)) for room_id, content in told
        ]
        async with asyncio.timeout(TELL_SECONDS):
            counts = await self._layer.publish_many(messages, self._channel)
        rooms = (room_id for room_id, _ in told)
        self._hearers.count(asked, zip(rooms, counts, strict=True))
        self._lost(one for one, count in zip(told, counts, strict=True) if not count)

    # --- to hear --------------------------------------------------------------------------------

    def _take(self, packed: bytes) -> None:
        if packed.startswith(self._ours, 1):
            return
        try:
            told = msgspec.msgpack.decode(packed)
            if told["type"] == HELLO:
                self._welcome(told["rooms"])
            else:
                self._heard(told["room"], told)
        except Exception:  # one bad message must not make the process deaf
            logger.exception("a message on the channel layer was not understood")

    def _welcome(self, rooms: Sequence[Place]) -> None:
        """Somebody hears of these rooms from now on."""
        self._hearers.come(rooms)
        self._tell_kept_back(rooms)

    def _tell_kept_back(self, rooms: Collection[Place]) -> None:
        if heads := self._kept_back.heads(rooms):
            self._put(PEOPLE, {"type": HEADS, "heads": list(heads.items())})
        for room_id, content in self._kept_back.messages(rooms):
            self._put(room_id, content)

    def _heard_again(self) -> None:
        """For a while some groups were not heard, and somebody may have come, or counted us out."""
        self._start_anew()
        self._start(self.catch_up())
        self._deaf()

    def _start_anew(self) -> None:
        self._hearers.forget()
        self._greeted.clear()
        self._tell_kept_back(self._kept_back.rooms)

    def _new_breaker(self) -> AskingByTask:
        return AskingByTask(
            "the channel layer is down",
            "the channel layer is back",
            knock=self._knock,
            failures=FAILURES,
            every=BREAK_SECONDS,
            start=self._start,
            turned=self._layer_turned,
        )

    async def _knock(self) -> None:
        await self._send([(NOBODY, {"type": "asked"})])

    def _layer_turned(self) -> None:
        if self.breaker.is_down:
            self._was_deaf = True
            self._hearers.forget()
        else:
            self._start_anew()
            self._start(self.catch_up())

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> None:
        await end(*filter(None, [self._teller]), *self._tasks)
        with suppress(*FAILURES):
            async with asyncio.timeout(TELL_SECONDS):
                await self._layer.flush()
