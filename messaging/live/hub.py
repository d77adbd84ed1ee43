"""Fan-out inside a process: which rooms it holds, and who gets the lines of their feeds.

The hub joins a room's group before it looks at the log, so nothing falls between. Every
HEADS_SECONDS it looks at the heads of all its rooms: even a lost last line arrives, without
the channel layer too.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from core import metrics
from core.batching import Batcher
from core.postgresql.reads import ANSWER_SECONDS, Reads, Unavailable
from core.tasks import end
from messaging import log
from messaging.live.activity import Activity
from messaging.live.broker import HEADS, PEOPLE, Broker
from messaging.live.entries import LINES, Entry, EntryBatch, by_room, heard_in
from messaging.live.feed import Feed
from messaging.live.gathering import Gathering
from messaging.live.packets import Packet
from messaging.live.rewinds import Rewind
from messaging.live.source import Source
from messaging.live.subscription import EntrySubscription, Greet, Subscription
from messaging.log import LastLine, LogEnd, MemberState
from messaging.log.event import Event

logger = logging.getLogger(__name__)

HEADS_SECONDS = 5.0
LINGER_SECONDS = 30.0  # a feed without listeners stays for those who come back
FANOUT = metrics.histogram(
    "chattalk_fanout_seconds",
    "From a line's time in the log until this process had written it to its sockets.",
)


class Hub:
    def __init__(self, process: str, reads: Reads) -> None:
        self.feeds: dict[int, Feed] = {}
        self.reads = reads
        self.source = Source(reads)
        self.gone_back: Callable[[set[int]], None] = lambda rooms: None
        self._lost: dict[int, range] = {}  # of rooms that may be held again
        self._look = asyncio.Event()
        self.broker = Broker(process, self._heard, self._was_deaf)
        self.names = 0  # goes up when somebody is called otherwise
        # Set by messaging/live/node.py: what others tell that is not of the log.
        self.others: dict[str, Callable[[int, dict[str, Any]], None]] = {}
        self.forgotten: Callable[[int], None] = lambda room_id: None
        self.grew: Callable[[int], None] = lambda room_id: None
        self.said_elsewhere: Callable[[int, list[int]], None] = lambda room_id, speakers: None
        self._standings = Batcher(self._read_standings, ANSWER_SECONDS)
        self._activities: dict[int, Activity] = {}
        self._gathering = Gathering(self._hand_on)
        self._lingering: dict[int, asyncio.TimerHandle] = {}
        self._watch: asyncio.Task[None] | None = None
        self._clock_ahead = timedelta()

    # --- what is told -------------------------------------------------------------------------

    def stored(self, events: list[Event]) -> None:
        """New events of this process: to its own sockets at once, and told to the others."""
        rooms = by_room(events)
        for room_id, lines in rooms.items():
            if feed := self.feeds.get(room_id):
                feed.told(lines)
            self.grew(room_id)
        self.broker.publish_lines(rooms)

    def _heard(self, room_id: int, message: dict[str, Any]) -> None:
        if message["type"] == LINES:
            for room, lines in heard_in(message["lines"], self.feeds.__contains__):
                self.said_elsewhere(room, lines.speakers)
                self._gathering.put(room, lines.batch)
        elif message["type"] == HEADS:
            for room, head in message["heads"]:
                if feed := self.feeds.get(room):
                    feed.heard_of(head)
        elif told := self.others.get(message["type"]):
            told(room_id, message)

    def _was_deaf(self) -> None:
        """What was told meanwhile was told to nobody here."""
        self.names += 1
        self._look.set()

    def _hand_on(self, room_id: int, lines: list[EntryBatch]) -> None:
        if feed := self.feeds.get(room_id):
            feed.told(lines)

    def _handed_out(self, lines: EntryBatch) -> None:
        """Once for all that went together, as the oldest of them had it."""
        took = (self.now() - lines.began).total_seconds()
        FANOUT.observe(max(0.0, took))  # between two clocks, of which ours may be behind

    # --- which rooms are held -----------------------------------------------------------------

    async def hold(self, room_id: int) -> Feed:
        """The room's feed, open. Raises Unavailable. To be let go of with `let_go`."""
        if timer := self._lingering.pop(room_id, None):
            timer.cancel()
        feed = self.feeds.get(room_id)
        if feed is None:
            feed = self.feeds[room_id] = Feed(room_id, self.source, self._handed_out)
            feed.doubt, feed.lag = self.doubt, self._gathering.lag
            feed.lost = self._lost.get(room_id, feed.lost)
        if self._watch is None:
            self._watch = asyncio.get_running_loop().create_task(self._watch_heads())
        if feed.head < 0:
            try:
                await self.broker.join(room_id)  # first hear, then look: nothing falls between
                await feed.open()
            except BaseException:  # whoever asked may have gone meanwhile
                self.let_go(room_id)
                raise
        return feed

    def let_go(self, room_id: int) -> None:
        """Close the feed in a while, if nobody listens any more."""
        if room_id in self.feeds and room_id not in self._lingering:
            loop = asyncio.get_running_loop()
            self._lingering[room_id] = loop.call_later(LINGER_SECONDS, self._close, room_id)

    def _close(self, room_id: int) -> None:
        del self._lingering[room_id]
        if self.feeds[room_id].listeners:
            return
        self.feeds.pop(room_id).close()
        self.forgotten(room_id)
        self.broker.drop(room_id)

    async def subscribe(
        self,
        room_id: int,
        user_id: int,
        after: LastLine | None,
        *,
        put: Callable[[Packet], None],
        ended: Callable[[Subscription, str], None],
        greet: Callable[[MemberState, int, int, bool, int | None], None],
        put_entry: Callable[[Entry], None] | None = None,
    ) -> Subscription | None:
        """A member's socket on a room, after that line; None for others. Raises Unavailable.

        Lines go to `put` as frames of /ws/, or as they are to `put_entry` where that is given.
        """
        state = await self._standings.ask((room_id, user_id))
        if state is None:
            return None
        feed = await self.hold(room_id)
        feed.as_named(self.names)
        how = (feed, user_id, state.head, put, ended)
        subscription = (
            Subscription(*how) if put_entry is None else EntrySubscription(*how, put_entry)
        )
        await self._bring_up(subscription, after, state, partial(greet, state))
        return subscription

    async def _bring_up(
        self,
        subscription: Subscription,
        after: LastLine | None,
        state: MemberState,
        greet: Greet,
    ) -> None:
        """From its start to what is live. Raises Unavailable; then it holds the room no more."""
        feed = subscription.feed
        try:
            await feed.reach(state.head)
            await subscription.resume(after, feed.between, greet)
        except BaseException:
            subscription.stop()
            self.let_go(feed.room_id)
            raise

    def unsubscribe(self, subscription: Subscription) -> None:
        subscription.stop()
        self.let_go(subscription.room_id)

    async def watch(self, head: log.Head, user_id: int, put: Callable[[Packet], None]) -> None:
        """Tell a member's socket of the room's activity, for the lobby. Raises Unavailable."""
        feed = await self.hold(head.room)
        activity = self._activities.get(head.room)
        if activity is None:
            activity = self._activities[head.room] = Activity(head.room, head.personnel)
            feed.listeners.add(activity)
        activity.watchers[put] = user_id

    def subscriptions(self, room_id: int) -> list[Subscription]:
        feed = self.feeds.get(room_id)
        listeners = feed.listeners if feed else ()
        return [each for each in listeners if isinstance(each, Subscription)]

    def watchers(self, room_id: int) -> list[Callable[[Packet], None]]:
        activity = self._activities.get(room_id)
        return list(activity.watchers) if activity else []

    def unwatch(self, room_id: int, put: Callable[[Packet], None]) -> None:
        activity = self._activities.get(room_id)
        if activity is None:
            return
        activity.watchers.pop(put, None)
        if not activity.watchers:
            activity.close()
            del self._activities[room_id]
            self.feeds[room_id].listeners.discard(activity)
            self.let_go(room_id)

    # --- the truth ----------------------------------------------------------------------------

    async def _read_standings(self, asked: Sequence[tuple[int, int]]) -> list[MemberState | None]:
        rooms, users = map(list, zip(*asked, strict=True))
        rows = await self.reads.rows(log.MEMBER_STATES, rooms=rooms, users=users)
        return [*map(log.as_member_states(rows).get, asked)]

    def doubt(self) -> None:
        """Compare what was told with what the database has, at once."""
        self.source.history.doubt()
        self._look.set()

    async def _watch_heads(self) -> None:
        while True:
            try:
                await self.broker.catch_up()
                await self.look_at_heads()
            except Unavailable:
                logger.info("the database does not answer; live messages may be late")
            except Exception:  # the watch must outlive whatever it meets
                logger.exception("looking at the heads failed")
            with suppress(TimeoutError):
                async with asyncio.timeout(HEADS_SECONDS):
                    await self._look.wait()
            self._look.clear()

    async def look_at_heads(self) -> None:
        """Raises Unavailable."""
        held = {room: feed.last_line for room, feed in self.feeds.items() if feed.head >= 0}
        found = await self.source.ends(list(held))
        self._clock_ahead = found[0].now - datetime.now(UTC)
        ends = {one.room: one for one in found if one.room is not None}
        self._go_back(await self.source.history.look(held, found), ends)
        for room, one in ends.items():
            if feed := self.feeds.get(room):
                feed.heard_of(one.head)
                if feed.head == one.head and (activity := self._activities.get(room)):
                    activity.personnel = one.personnel

    def _go_back(self, rewinds: list[Rewind], ends: dict[int, LogEnd]) -> None:
        """Their feeds go on from what is kept; those who have more come back, and are told so."""
        for one in rewinds:
            if feed := self.feeds.get(one.room):
                there = ends.get(one.room)
                feed.go_back(one.kept, LastLine(there.head, there.at) if there else LastLine(0))
                self._lost[one.room] = feed.lost
                for subscription in self.subscriptions(one.room):
                    subscription.forget(one.kept)
        if rewinds:
            self.broker.publish(PEOPLE, {"type": "doubt"})
            self.gone_back({one.room for one in rewinds})

    def now(self) -> datetime:
        """The database's time, as far as known: one clock for all processes."""
        return datetime.now(UTC) + self._clock_ahead

    async def close(self) -> None:
        if self._watch is not None:
            await end(self._watch)
        for timer in self._lingering.values():
            timer.cancel()
        for activity in self._activities.values():
            activity.close()
        for feed in self.feeds.values():
            feed.close()
        self.feeds.clear()
        await self.broker.close()
