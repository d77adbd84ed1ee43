"""What is said in a room, told to one subscription of the original's page: it begins where its page
ended, and what it was sent was read."""

import asyncio
import logging
from collections import deque
from datetime import datetime
from typing import Any

from channels.db import database_sync_to_async

from core.postgresql.reads import Unavailable
from interfaces.original import missed, visits
from interfaces.original.subscriptions import PageSubscriber
from interfaces.stomp.chat import Chat
from messaging import log
from messaging.live import frames
from messaging.live.drafts import unavailable
from messaging.live.entries import Entry
from messaging.log.kinds import UNREAD
from rooms.services import NotMember

logger = logging.getLogger(__name__)

MARK_SECONDS = 5.0  # between two moves of the read position of a page that is open
GIVEN_MAX = 1_000  # lines since the last of them, whose times are kept


class PageChat(PageSubscriber, Chat):
    """What is said in a room, on a page."""

    socket = "chat"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._own_before = 0  # where the log ended when this was asked for
        self._begun = 0  # the line before the first one, which its page was told by GET read
        self._given: deque[tuple[int, int]] = deque(maxlen=GIVEN_MAX)  # when (µs), and which
        self._marked_at = float("-inf")
        self._marked = 0
        self._taken: int | None = None  # the last line before its goodbye

    async def begin(self) -> None:
        frame = frames.Subscribe(room=self.room_id, after=self.command.after)
        if frame.after is None:
            try:
                frame.after = await self._told_before()
            except Unavailable:
                self.refuse(frame, unavailable())
                return
            if frame.after is None:  # a seat that is taken from here on is looked at anew
                self.refuse(frame, NotMember())
                return
        await self.handle(frame)

    async def _told_before(self) -> int | None:
        """Where what is to be told begins; None without a seat."""
        rows = await self.node.reads.rows(log.MEMBER_STATE, room=self.room_id, user=self.user.id)
        if not rows:
            return None
        state = log.as_member_state(rows[0])
        self._own_before = state.head
        read_note = database_sync_to_async(missed.noted, thread_sensitive=False)
        note = await read_note(self.room_id, self.user.id)
        is_of_now = note is not None and note <= state.head  # else the log has gone back since
        return note if is_of_now else state.read_seq

    def say(self, **frame: Any) -> None:
        if frame["type"] == "subscribed" and not self.unseen_since:
            self._begun = frame["after"]
        super().say(**frame)

    def _line(self, entry: Entry) -> None:
        event = entry.event
        self._given.append((visits.now(), event.seq))
        is_own = event.kind in UNREAD and event.sender.id == self.user.id
        if is_own and event.seq <= self._own_before:
            return  # nobody misses what they have said
        super()._line(entry)

    # --- a page shows all that it gets, so what it was sent was read ------------------------------

    async def heard_from(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._marked_at >= MARK_SECONDS:
            self._marked_at = now
            if self._has_more():
                await self._look_for_end()  # what the layer told may have been lost
                await self._mark()

    def farewell(self) -> None:
        if self._taken is None:
            self._taken = self._read_to()

    async def leave(self, at: datetime, *, is_clean: bool) -> None:
        if is_clean:
            self.farewell()  # while it is put down, lines come that nobody is shown
        if self.is_live and not self.unseen_since:
            await self._say_gone()  # first: the PUT read that follows may be quick
        if is_clean or self.unseen_since:  # else nobody knows what of the last was seen
            await self._mark()
        self.gone(at)

    def look_away(self, at: int) -> None:
        super().look_away(at)
        if self.unseen_since and self._has_more():
            self.start(self._mark())

    async def _look_for_end(self) -> None:
        if not self.unseen_since:
            ask = database_sync_to_async(visits.left_at, thread_sensitive=False)
            self.look_away(await ask(self.room_id, self.page.device))

    async def _say_gone(self) -> None:
        say = database_sync_to_async(missed.socket_goes, thread_sensitive=False)
        self.look_away(await say(self.room_id, self.user.id, self.page.device))

    def _has_more(self) -> bool:
        return self._read_to() > self._marked

    def _read_to(self) -> int:
        """The last line that was on a page that somebody looked at."""
        subscription = self.subscriptions.get(self.room_id)
        if subscription is None:
            return 0
        read = subscription.seen
        if self.unseen_since:
            seen = (seq for at, seq in self._given if at <= self.unseen_since)
            read = max(seen, default=self._begun)
        return read if self._taken is None else min(read, self._taken)

    async def _mark(self) -> None:
        seq = self._read_to()
        if seq <= self._marked:
            return
        try:
            rows = await self.node.reads.rows(
                log.READ, room=self.room_id, user=self.user.id, seq=seq
            )
            self._marked = seq
            for (position,) in rows:  # none: the seat was given back
                self.node.mine.read(self.user.id, self.room_id, position)
        except Unavailable:
            logger.info("room %s: %s has read more than is known", self.room_id, self.user.id)
