"""This process's part of ChatTalk: its writer, its hub, its view of who is here.

One per event loop, made on first use, closed with `close()` when the server stops. Threads find
the serving one with `running()`.
"""

import asyncio
import logging
from contextlib import suppress
from typing import Any
from uuid import uuid4

from django.conf import settings

from core.postgresql.reads import Reads, Unavailable
from core.postgresql.replica import replica
from core.postgresql.writable import writable
from core.rate_limits import cell_rate
from messaging import log
from messaging.live import frames
from messaging.live.about import Abouts
from messaging.live.broker import PEOPLE
from messaging.live.connections import Connections
from messaging.live.growth import Growth
from messaging.live.handover import Handover
from messaging.live.home import Homes
from messaging.live.hub import Hub
from messaging.live.message_limits import Limits
from messaging.live.packets import packet
from messaging.live.personal import Mine
from messaging.live.reception import Reception
from messaging.live.renames import Names
from messaging.live.snapshots import Snapshots
from messaging.live.writer import Writer
from messaging.log.event import Person, encode
from presence.tracker import Tracker

logger = logging.getLogger(__name__)

DRAIN_SECONDS = 4.0  # for the senders: a little more than their deadline
GOODBYE_SECONDS = 1.0  # for the close frames to leave
READY_SECONDS = 1.5  # who asks whether we are ready waits no longer


class Node:
    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.id = uuid4().hex
        self.reads = Reads()
        self.hub = Hub(self.id, self.reads)
        self.reads.connected = self.hub.doubt  # it may be to another server
        self.writer = Writer(self.hub.stored)
        self.homes = Homes(self.id, self._living)
        send, now = self.hub.broker.publish, self.hub.now
        self.handover = Handover(self.writer, self.homes, send, now, self.hub.feeds.__contains__)
        self.connections = Connections(self.reads)
        self.hub.gone_back = self.connections.send_away_from
        self.draining = False
        self.limits = Limits(self._tell_limits)
        self.frame_rate = cell_rate("frame")
        self.presence = Tracker(tell=self._tell_presence, show=self._show_presence, process=self.id)
        self.snapshots = Snapshots(self.presence)
        self.hub.forgotten = self.presence.forget
        self.reception = Reception(self.writer, send, now, self._said_elsewhere)
        self.hub.said_elsewhere = self._count
        self.hub.broker.unheard = self.handover.unheard
        self.growth = Growth(lambda told: self.hub.broker.publish(PEOPLE, told))
        self.hub.grew = self.growth.add
        self.mine = Mine(lambda told: self.hub.broker.publish(PEOPLE, told))
        self.abouts = Abouts(self.hub)
        self.names = Names(self.hub)
        self.hub.others = {
            "presence": self._presence_told,
            "typing": self._typing_told,
            "mine": lambda _room_id, told: self.mine.heard(told),
            "about": lambda room_id, _told: self.abouts.look(room_id),
            "said": lambda _room_id, told: self.limits.told(told["people"]),
            "name": lambda _room_id, told: self.names.heard(told),
            "doubt": lambda _room_id, _told: self.hub.doubt(),
            "grew": lambda _room_id, told: self.growth.heard(told),
            "handover": lambda _process, told: self.reception.heard(told),
            "answered": lambda _process, told: self.handover.answered(told),
            "missed": lambda _process, told: self.handover.missed(told),
            "leaves": lambda _room_id, told: self.homes.leaves(told["by"]),
            "unwritable": lambda _room_id, _told: writable.doubt_in_thread(),
        }
        writable.before_each = tell_unwritable
        self.connections.renamed = self.names.change
        self.names.when_renamed.append(self.connections.rename)
        self._starting: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Safe to call by every socket: starts once."""
        if self._starting is None:
            self._starting = self.loop.create_task(self._start())
        await asyncio.shield(self._starting)

    async def _start(self) -> None:
        await self.reads.open()
        replica.start()
        await self.hub.broker.join(PEOPLE)
        await self.hub.broker.join(self.id)  # what is handed to this process
        await self.presence.start()

    # --- who writes a room's messages -----------------------------------------------------------

    def _living(self) -> list[str]:
        """The processes that may be homes; none while nothing could be handed to them."""
        return [] if self.hub.broker.breaker.is_down else self.presence.state.leases.live

    def leave(self) -> None:
        """Not ready any more, and no home: what is handed to this process goes back."""
        self.draining = self.reception.is_closed = True
        self.hub.broker.publish(PEOPLE, {"type": "leaves"})

    # --- how much is said ----------------------------------------------------------------------

    def _count(self, room_id: int, speakers: list[int]) -> None:
        """What is said by another process counts here, too, where the room is held."""
        if others := self.handover.not_ours(room_id, speakers):
            self._said_elsewhere(room_id, others)

    def _said_elsewhere(self, room_id: int, speakers: list[int]) -> None:
        self.limits.said_elsewhere(room_id, speakers)
        self.homes.said_elsewhere(room_id, len(speakers))

    def _tell_limits(self, people: list[tuple[int, int]]) -> None:
        self.hub.broker.publish(PEOPLE, {"type": "said", "people": people})

    # --- presence and typing, over the layer and to this process's sockets ----------------------

    def _tell_presence(self, room_id: int, change: dict[str, Any]) -> None:
        self.hub.broker.publish(room_id, {"type": "presence", "change": change})

    def _presence_told(self, room_id: int, message: dict[str, Any]) -> None:
        self.presence.hear(room_id, message["change"])

    def _show_presence(self, room_id: int, frame: dict[str, Any]) -> None:
        encoded = packet(frames.presence(frame))
        for subscription in self.hub.subscriptions(room_id):
            if subscription.sees_presence:
                subscription.put(encoded)

    def typing(self, room_id: int, user: Person) -> None:
        told = {"type": "typing", "user": [user.id, user.name]}
        self.hub.broker.publish(room_id, told)
        self._typing_told(room_id, told)

    def _typing_told(self, room_id: int, message: dict[str, Any]) -> None:
        user = Person(*message["user"])
        frame = packet(encode(frames.TypingFrame(room=room_id, user=user)))
        for subscription in self.hub.subscriptions(room_id):
            if subscription.user_id != user.id:
                subscription.put(frame)

    # --- how it is doing, and its end -----------------------------------------------------------

    async def stores(self) -> dict[str, str]:
        """`ok`, `degraded` or `down` for each, as this process has it."""
        redis = "down" if self.presence.state.redis.is_down else "ok"
        threads = settings.REDIS_BREAKER
        partly = self.hub.broker.breaker, threads.answers, threads.writes
        if redis == "ok" and any(breaker.is_down for breaker in partly):
            redis = "degraded"  # for some of those who use it
        postgresql = await self._postgresql()
        if postgresql == "ok" and writable.is_down:
            postgresql = "degraded"  # it is read
        mongodb = "down" if self.presence.state.write_behind.mongodb.is_down else "ok"
        return {"postgresql": postgresql, "redis": redis, "mongodb": mongodb}

    def why(self) -> dict[str, str]:
        """`disk full` and the like, for each store of which that is known; for any thread."""
        found = {"postgresql": writable.why, "redis": settings.REDIS_BREAKER.writes.why}
        found["mongodb"] = self.presence.state.write_behind.mongodb.why
        return {store: why for store, why in found.items() if why}

    async def _postgresql(self) -> str:
        # Left to its own bounds, not cancelled: psycopg would ask the server for that, and wait.
        asked = self.loop.create_task(self._look_at_the_clock())
        done, _ = await asyncio.wait([asked], timeout=READY_SECONDS)
        return "ok" if done and asked.result() else "down"

    async def _look_at_the_clock(self) -> bool:
        try:
            await self.reads.rows(log.CLOCK)
        except Unavailable:
            return False
        return True

    async def drain(self, is_relieved: bool) -> None:
        """Answer the messages under way, then send the sockets away, each with a time to wait: a
        short one where a successor listens already."""
        self.leave()
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                await self.handover.idle()
                await self.writer.idle()
                await self.connections.settled()
        self.connections.send_away(is_relieved)
        with suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self.connections.settled()

    async def close(self) -> None:
        self.handover.close()
        await self.writer.close()
        await self.connections.close()
        self.growth.close()
        self.mine.close()
        self.names.close()
        await self.abouts.close()
        await self.snapshots.close()
        await self.presence.stop()
        await self.hub.close()
        replica.stop()
        await self.reads.close()


_node: Node | None = None


def running() -> Node | None:
    """The node of this process's server, for threads; None where no server runs."""
    return _node if _node is not None and not _node.loop.is_closed() else None


def current() -> Node:
    """The running event loop's node."""
    global _node
    if _node is None or _node.loop is not asyncio.get_running_loop():
        _node = Node()
    return _node


def stop_taking() -> None:
    """Not ready any more; a message that comes by a socket is for the process after us."""
    if (serving := running()) is not None:
        serving.draining = True
        serving.loop.call_soon_threadsafe(serving.leave)


def tell_unwritable() -> None:
    """The other processes hear that PostgreSQL stores nothing; called by a thread of
    core/postgresql/writable.py."""
    if (serving := running()) is not None:
        told = {"type": "unwritable"}
        with suppress(RuntimeError):  # its loop ends just now
            serving.loop.call_soon_threadsafe(serving.hub.broker.publish, PEOPLE, told)


async def drain(is_relieved: bool) -> None:
    if (serving := running()) is not None:
        await serving.drain(is_relieved)


async def close() -> None:
    global _node
    if _node is not None and _node.loop is asyncio.get_running_loop():
        closing, _node = _node, None
        await closing.close()
