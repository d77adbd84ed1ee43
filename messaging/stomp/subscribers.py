"""What a SUBSCRIBE opens: each is a client of its own (messaging/client.py)."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from channels.db import database_sync_to_async
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import User
from messaging import queries, wire
from messaging.client import Client
from messaging.database import Unavailable
from messaging.feed import Feed, Lines
from messaging.packets import Packet
from messaging.stomp import house, shape, unread
from messaging.stomp.destinations import Place, Topic
from messaging.wire import Person
from messaging.writer import not_member, unavailable

log = logging.getLogger(__name__)

SEAT_SECONDS = 30.0  # for one who subscribes first and enters then; a crowd waits at the door
MARK_SECONDS = 5.0  # between two moves of the read position of a page that is open
RETRY_SECONDS = 1.0  # while the database does not answer

_EVENT = '{"type":"event"'


class Asked(NamedTuple):
    """A SUBSCRIBE frame, understood."""

    id: str
    destination: str
    place: Place
    after: int | None
    receipt: str | None
    acknowledges: bool


class Told(NamedTuple):
    """What becomes of a subscription is told to its session by these."""

    message: Callable[["Subscriber", dict[str, str], str], None]  # headers of its own, the body
    live: Callable[["Subscriber", dict[str, Any]], None]  # the fields of `subscribed`
    refused: Callable[["Subscriber", dict[str, Any]], None]  # the fields of `nack`
    ended: Callable[["Subscriber", str], None]  # left, removed


class Subscriber(Client):
    """`is_original`: it subscribes before it enters, and is caught up from what it has missed."""

    def __init__(
        self, user: User, language: str, asked: Asked, told: Told, is_original: bool
    ) -> None:
        super().__init__(Person(user.pk, user.display_name), language, self._take)
        self.account = user
        assert asked.place.room is not None
        self.asked, self.told, self.is_original = asked, told, is_original
        self.room_id = asked.place.room
        self.house = house.current()
        self.is_waiting = False

    @property
    def is_live(self) -> bool:
        return bool(self.subscriptions)

    async def begin(self) -> None:
        """Become live, be refused, or wait for a seat."""
        await self.handle(wire.Subscribe(room=self.room_id, after=self.asked.after))

    def refuse(self, frame: wire.Frame, error: PermissionDenied | ValidationError) -> None:
        if isinstance(error, PermissionDenied) and self.is_original:
            if not self.is_waiting:
                self.is_waiting = True
                self.start(self._wait_for_seat())
        else:
            super().refuse(frame, error)

    def say(self, **frame: Any) -> None:
        match frame["type"]:
            case "subscribed":
                self.is_waiting = False
                self.told.live(self, frame)
            case "nack":
                self.told.refused(self, frame)
            case "unsubscribed":
                self.told.ended(self, frame["code"])

    async def _wait_for_seat(self) -> None:
        feed = await self._hold()
        seat = _Seat(feed, self.user.id)
        try:
            async with asyncio.timeout(SEAT_SECONDS):
                while not self.is_live:  # the first time again: it may have been taken meanwhile
                    await self.begin()
                    if not self.is_live:
                        await seat.taken.wait()
                        seat.taken.clear()
        except TimeoutError:
            super().refuse(wire.Subscribe(room=self.room_id), not_member())
        finally:
            feed.listeners.discard(seat)
            self.node.hub.let_go(self.room_id)

    async def _hold(self) -> Feed:
        while True:
            try:
                return await self.node.hub.hold(self.room_id)
            except Unavailable:
                await asyncio.sleep(RETRY_SECONDS)

    def _take(self, packet: Packet) -> None:
        """Frames that are the same for all of the room."""
        raise NotImplementedError

    async def heard_from(self) -> None:
        """The client is there, and has what it was sent before."""

    async def leave(self, at: datetime, *, is_clean: bool) -> None:
        """The subscription ends; `is_clean`: the client says so itself."""
        self.gone(at)


class _Seat:
    """Listens for one person to enter, and to nothing else."""

    def __init__(self, feed: Feed, user_id: int) -> None:
        self.taken = asyncio.Event()
        self._user_id = user_id
        feed.listeners.add(self)

    def take(self, lines: Lines) -> None:
        entered = (line.event.sender.id for line in lines.all if line.event.kind == "enter")
        if self._user_id in entered:
            self.taken.set()


class Chat(Subscriber):
    """What is said in a room, in the original's shape."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._marked_at = float("-inf")
        self._marked = 0

    async def begin(self) -> None:
        asked = wire.Subscribe(room=self.room_id, after=self.asked.after)
        if self.is_original and asked.after is None:
            try:
                asked.after = await self._told_before()
            except Unavailable:
                self.refuse(asked, unavailable())
                return
            if asked.after is None:  # a seat that is taken from here on is looked at anew
                self.refuse(asked, not_member())
                return
        await self.handle(asked)

    async def _told_before(self) -> int | None:
        """Where what is to be told begins; None without a seat."""
        rows = await self.node.reads.rows(queries.STANDING, room=self.room_id, user=self.user.id)
        if not rows:
            return None
        read_note = database_sync_to_async(unread.noted, thread_sensitive=False)
        note = await read_note(self.room_id, self.user.id)
        return queries.as_standing(rows[0]).read_seq if note is None else note

    def _take(self, packet: Packet) -> None:
        for text in (one.text for one in packet.singles):
            if text.startswith(_EVENT):
                self._show(text)

    def _show(self, text: str) -> None:
        event = shape.event(text)
        headers = {"message-id": f"{event.room}-{event.seq}", "seq": str(event.seq)}
        language = "" if event.kind == "message" else self.language
        body = shape.line_body(text, shape.username(event, self.account), language)
        self.told.message(self, headers, body)

    # --- the original's page shows all that it gets, so what it was sent was read ---------------

    async def heard_from(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._marked_at >= MARK_SECONDS:
            self._marked_at = now
            await self._mark()

    async def leave(self, at: datetime, *, is_clean: bool) -> None:
        if self.is_original and self.is_live:  # first: the PUT read that follows may be quick
            tell_page = database_sync_to_async(unread.note_gone, thread_sensitive=False)
            await tell_page(self.room_id, self.user.id)
        if is_clean:
            await self._mark()
        self.gone(at)

    async def _mark(self) -> None:
        subscription = self.subscriptions.get(self.room_id)
        if not self.is_original or subscription is None or subscription.seen <= self._marked:
            return
        seq = subscription.seen
        try:
            rows = await self.node.reads.rows(
                queries.READ, room=self.room_id, user=self.user.id, seq=seq
            )
            self._marked = seq
            for (position,) in rows:  # none: the seat was given back
                self.node.mine.read(self.user.id, self.room_id, position)
        except Unavailable:
            log.info("room %s: %s has read more than is known", self.room_id, self.user.id)


class Participants(Subscriber):
    """Everyone with a seat, and whether they are here: the whole list after each change."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._shown = 0

    def say(self, **frame: Any) -> None:
        if frame["type"] == "presence":
            self.house.rosters.stir(self.room_id)
            return
        if frame["type"] == "subscribed":
            self.house.rosters.watch(self.room_id, self._show)
        super().say(**frame)

    def _show(self, people: shape.People) -> None:
        self._shown += 1
        headers = {"message-id": f"{self.asked.id}-{self._shown}"}
        self.told.message(self, headers, people.told(self.account))

    def _take(self, packet: Packet) -> None:
        for text in (one.text for one in packet.singles):
            is_event = text.startswith(_EVENT)
            if not is_event or shape.event(text).kind in ("enter", "leave"):
                self.house.rosters.stir(self.room_id, seats=is_event)

    def gone(self, at: datetime) -> None:
        self.house.rosters.unwatch(self.room_id, self._show)
        super().gone(at)

    def _ended(self, subscription: Any, code: str) -> None:
        self.house.rosters.unwatch(self.room_id, self._show)
        super()._ended(subscription, code)


KINDS: dict[Topic, type[Subscriber]] = {Topic.CHAT: Chat, Topic.PARTICIPANTS: Participants}
