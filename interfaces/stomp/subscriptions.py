"""What a SUBSCRIBE opens: each is a client of its own (interfaces/socket/session.py)."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

from channels.db import database_sync_to_async
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import User
from core.postgresql.reads import Unavailable
from interfaces.original import visits
from interfaces.socket.session import Client
from interfaces.stomp import context
from interfaces.stomp.destinations import Place
from messaging.live import frames
from messaging.live.drafts import not_member
from messaging.live.feed import EntryBatch, Feed
from messaging.live.packets import Packet
from messaging.live.subscription import Subscription
from messaging.log.event import Person
from presence.room_state import moment

SEAT_SECONDS = 30.0  # for one who subscribes first and enters then; a crowd waits at the door
RETRY_SECONDS = 1.0  # while the database does not answer
EVENT = '{"type":"event"'  # how the frame of a line begins


class Asked(NamedTuple):
    """A SUBSCRIBE frame, understood."""

    id: str
    destination: str
    place: Place
    after: int | None
    receipt: str | None
    acknowledges: bool


class Callbacks(NamedTuple):
    """What becomes of a subscription is told to its session by these."""

    message: Callable[["Subscriber", dict[str, str], str], None]  # headers of its own, the body
    live: Callable[["Subscriber", dict[str, Any]], None]  # the fields of `subscribed`
    refused: Callable[["Subscriber", dict[str, Any]], None]  # the fields of `nack`
    ended: Callable[["Subscriber", str], None]  # left, removed


class Page(NamedTuple):
    """A page of the original's, as far as it can be told from others."""

    device: UUID  # the sign-in
    opened_at: int  # µs since 1970: its socket


class Subscriber(Client, ABC):
    """One subscription. Where it is a page's of the original's, it may wait for its person's seat,
    and end in nobody looking at it without a word (interfaces/original/visits.py)."""

    socket: ClassVar[str]  # which of the sockets of a page brings it: one of visits.SOCKETS

    def __init__(
        self, user: User, language: str, asked: Asked, told: Callbacks, page: Page | None
    ) -> None:
        super().__init__(Person(user.pk, user.display_name), language, self._take)
        self.account = user
        assert asked.place.room is not None
        self.asked, self.told, self.page = asked, told, page
        self.room_id = asked.place.room
        self.house = context.current()
        self.is_waiting = False
        self.unseen_since = 0  # µs since 1970; 0 while somebody looks, as far as is known

    @property
    def is_live(self) -> bool:
        return bool(self.subscriptions)

    async def begin(self) -> None:
        """Become live, be refused, or wait for a seat."""
        await self.handle(frames.Subscribe(room=self.room_id, after=self.asked.after))

    def refuse(self, frame: frames.Frame, error: PermissionDenied | ValidationError) -> None:
        if isinstance(error, PermissionDenied) and self.page:
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
            super().refuse(frames.Subscribe(room=self.room_id), not_member())
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
        for text in (one.text for one in packet.singles):
            if text.startswith(EVENT):
                self._line(text)
            else:
                self._other()

    @abstractmethod
    def _line(self, text: str) -> None:
        """An `event` frame: a line of the room's log."""

    def _other(self) -> None:
        """A frame of who is here, who types, what the room is: most subscriptions need none."""

    async def heard_from(self) -> None:
        """The client is there, and has what it was sent before."""

    def farewell(self) -> None:
        """The client has said that it takes nothing more."""

    async def leave(self, at: datetime, *, is_clean: bool) -> None:
        """The subscription ends; `is_clean`: the client says so itself."""
        self.gone(at)

    def gone(self, at: datetime) -> None:
        if self.page is not None:
            self.house.forget(self.page.device, self)
        super().gone(at)

    # --- whether anybody looks ------------------------------------------------------------------

    async def welcome(self) -> None:
        """A page may have been left before this socket of it came to subscribe."""
        if self.page is None:
            return
        self.house.welcome(self.page.device, self)
        ask = database_sync_to_async(visits.opens, thread_sensitive=False)
        begun, left_at = await ask(self.room_id, self.page.device, self.socket)
        if begun:
            self.page = Page(self.page.device, min(begun, self.page.opened_at))
        self.look_away(left_at)

    def look_away(self, at: int) -> None:
        """Since then nobody looks at what was opened before: it keeps nobody here."""
        if self.unseen_since or self.page is None or at <= self.page.opened_at:
            return
        if subscription := self.subscriptions.get(self.room_id):
            self._depart(subscription, moment(at))
            self.node.presence.hurry(self.room_id, self.user.id)
        self.unseen_since = at

    def heard_in(self, room_id: int) -> None:
        """Its person has just spoken there by the same socket: they look at it, whatever was said
        before and is heard only later."""
        if self.page is None or room_id != self.room_id:
            return
        self.page = Page(self.page.device, visits.now())
        if self.unseen_since:
            self.unseen_since = 0
            if subscription := self.subscriptions.get(self.room_id):
                self._arrive(subscription)

    def _arrive(self, subscription: Subscription) -> None:
        if not self.unseen_since:
            super()._arrive(subscription)

    def _depart(self, subscription: Subscription, at: datetime) -> None:
        if not self.unseen_since:
            super()._depart(subscription, at)


class _Seat:
    """Listens for one person to enter, and to nothing else."""

    def __init__(self, feed: Feed, user_id: int) -> None:
        self.taken = asyncio.Event()
        self._user_id = user_id
        feed.listeners.add(self)

    def take(self, lines: EntryBatch) -> None:
        entered = (line.event.sender.id for line in lines.all if line.event.kind == "enter")
        if self._user_id in entered:
            self.taken.set()
