"""What a SUBSCRIBE of the original's page opens. It may come before its person has a seat, and end
in nobody looking at it without a word (visits.py)."""

import asyncio
from datetime import datetime
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

from channels.db import database_sync_to_async
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import User
from core.postgresql.reads import Unavailable
from interfaces.original import open_pages, visits
from interfaces.stomp.participants import Participants
from interfaces.stomp.subscriptions import Callbacks, SubscribeCommand, Subscriber
from messaging.live import frames
from messaging.live.entries import EntryBatch
from messaging.live.feed import Feed
from messaging.live.subscription import Subscription
from messaging.log.kinds import GIVES_SEAT
from presence.room_state import moment
from rooms.services import NotMember

SEAT_SECONDS = 30.0  # for one who subscribes first and enters then; a crowd waits at the door
RETRY_SECONDS = 1.0  # while the database does not answer


class Page(NamedTuple):
    """A page of the original's, as far as it can be told from others."""

    device: UUID  # the sign-in
    opened_at: int  # µs since 1970: its socket


class PageSubscriber(Subscriber):
    """One subscription of a page."""

    socket: ClassVar[str]  # which of the sockets of a page brings it: one of visits.SOCKETS

    def __init__(
        self, user: User, language: str, command: SubscribeCommand, told: Callbacks, page: Page
    ) -> None:
        super().__init__(user, language, command, told)
        self.page = page
        self.open_pages = open_pages.current()
        self.is_waiting = False
        self.unseen_since = 0  # µs since 1970; 0 while somebody looks, as far as is known

    async def open(self) -> None:
        await self._welcome()
        await super().open()

    def refuse(self, frame: frames.Frame, error: PermissionDenied | ValidationError) -> None:
        if not isinstance(error, PermissionDenied):
            super().refuse(frame, error)
        elif not self.is_waiting:
            self.is_waiting = True
            self.start(self._wait_for_seat())

    def say(self, **frame: Any) -> None:
        if frame["type"] == "subscribed":
            self.is_waiting = False
        super().say(**frame)

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
            super().refuse(frames.Subscribe(room=self.room_id), NotMember())
        finally:
            feed.listeners.discard(seat)
            self.node.hub.let_go(self.room_id)

    async def _hold(self) -> Feed:
        while True:
            try:
                return await self.node.hub.hold(self.room_id)
            except Unavailable:
                await asyncio.sleep(RETRY_SECONDS)

    async def heard_from(self) -> None:
        """The client is there, and has what it was sent before."""

    def gone(self, at: datetime) -> None:
        self.open_pages.forget(self.page.device, self)
        super().gone(at)

    # --- whether anybody looks ------------------------------------------------------------------

    async def _welcome(self) -> None:
        """A page may have been left before this socket of it came to subscribe."""
        self.open_pages.welcome(self.page.device, self)
        ask = database_sync_to_async(visits.opens, thread_sensitive=False)
        begun, left_at = await ask(self.room_id, self.page.device, self.socket)
        if begun:
            self.page = Page(self.page.device, min(begun, self.page.opened_at))
        self.look_away(left_at)

    def look_away(self, at: int) -> None:
        """Since then nobody looks at what was opened before: it keeps nobody here."""
        if self.unseen_since or at <= self.page.opened_at:
            return
        if subscription := self.subscriptions.get(self.room_id):
            self._untrack(subscription, moment(at))
            self.node.presence.hurry(self.room_id, self.user.id)
        self.unseen_since = at

    def heard_in(self, room_id: int) -> None:
        """Its person has just spoken there by the same socket: they look at it, whatever was said
        before and is heard only later."""
        if room_id != self.room_id:
            return
        self.page = Page(self.page.device, visits.now())
        if self.unseen_since:
            self.unseen_since = 0
            if subscription := self.subscriptions.get(self.room_id):
                self._track(subscription)

    def _track(self, subscription: Subscription) -> None:
        if not self.unseen_since:
            super()._track(subscription)

    def _untrack(self, subscription: Subscription, at: datetime) -> None:
        if not self.unseen_since:
            super()._untrack(subscription, at)


class PageParticipants(PageSubscriber, Participants):
    """The list of who takes part, on a page."""

    socket = "people"


class _Seat:
    """Listens for one person to enter, and to nothing else."""

    def __init__(self, feed: Feed, user_id: int) -> None:
        self.taken = asyncio.Event()
        self._user_id = user_id
        feed.listeners.add(self)

    def take(self, lines: EntryBatch) -> None:
        entered = (line.event.sender.id for line in lines.all if line.event.kind in GIVES_SEAT)
        if self._user_id in entered:
            self.taken.set()
