"""What one client does and is told, in the frames of docs/wire.md, whatever its wire looks like.

A door (consumer.py, stomp/) accepts the connection, decodes what comes, and shapes what goes out.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Set
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.utils.translation import gettext_lazy as _

from core import refusal_log
from core.postgresql.breaker import is_outage
from core.postgresql.reads import Unavailable
from core.problems import INVALID, REFUSALS
from core.rate_limits import Pace, retry_after
from core.text import first_line
from interfaces.socket.sending import Sending
from interfaces.socket.sentences import TOO_MANY, sentence
from messaging import log, services
from messaging.live import frames, node
from messaging.live.drafts import unavailable
from messaging.live.packets import Packet, packet
from messaging.live.subscription import Subscription
from messaging.log.event import Person, encode
from rooms.services import NotMember

logger = logging.getLogger(__name__)

AT_ONCE = (frames.Send, frames.Typing, frames.Ping)  # what is answered without waiting
IN_FLIGHT_MAX = 64  # sends of one client that wait for their answer
TYPING_SECONDS = 3
REFUSED = 20  # frames: what a refusal counts as. Who sends what is refused is read more slowly
REFUSED_SECONDS = 1.0  # and waits no longer than this at once
Greet = Callable[[log.MemberState, int, int, bool, int | None], None]  # as subscription.py has it

_NONE: frozenset[Any] = frozenset()  # one for all: each empty one would take 200 bytes


class Client:
    """One connection of a person. `put` takes the encoded frames that are for it; `send_now`,
    where that is another way, those that are for all of a room."""

    # There are thousands, most of them idle: what they seldom need they don't hold.
    __slots__ = (
        "_pace", "chores", "in_flight", "language", "last_heard", "node", "send_now", "put",
        "subscriptions", "typed", "user", "watched",
    )  # fmt: skip

    def __init__(
        self,
        user: Person,
        language: str,
        put: Callable[[Packet], None],
        send_now: Callable[[Packet], None] | None = None,
    ) -> None:
        self.node = node.current()
        self.user = user
        self.language = language
        self.put = put
        self.send_now = send_now or put
        self.subscriptions: dict[int, Subscription] = {}
        self.watched: frozenset[int] = _NONE
        self.chores: frozenset[asyncio.Task[None]] = _NONE
        self.in_flight = 0
        self._pace = Pace(self.node.frame_rate)
        self.typed: dict[int, float] = {}
        self.last_heard = self.node.hub.now()

    def start(self, chore: Coroutine[Any, Any, None]) -> None:
        """Beside the reading of frames; ends with the connection."""
        task = asyncio.get_running_loop().create_task(chore)
        self.chores |= {task}
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self.chores = self.chores - {task} or _NONE

    def rename(self, user: Person) -> None:
        """What they say from here on is said by this name, and so is that they are here."""
        self.user = user
        for room_id in self.subscriptions:
            self.node.presence.rename(room_id, user.id, user.name)

    async def heard(self) -> bool:
        """It is there; and whoever is too fast is read more slowly from here on: that it was, which
        takes a while in which its connection may have ended."""
        self.last_heard = self.node.hub.now()
        seconds = self._pace.wait()
        if seconds:
            await asyncio.sleep(seconds)
        return seconds > 0

    async def handle(self, frame: frames.Frame) -> None:
        """Do what it asks. A refusal is said as a `nack`; nothing is raised."""
        try:
            await self._answer(frame)
        except (PermissionDenied, ValidationError) as error:
            self.refuse(frame, error)
        except Unavailable:
            self.refuse(frame, unavailable())
        except Exception as error:  # the connection stays, whatever a frame meets
            name = type(frame).__name__.lower()
            if is_outage(error):  # of Django's connection, by a thread
                logger.warning("%s: the database does not answer: %s", name, first_line(error))
            else:
                logger.exception("a %s frame failed", name)
            self.refuse(frame, unavailable())

    def handle_now(self, frame: frames.Frame) -> bool:
        """`heard` and `handle`, where they need not wait; says whether that was so."""
        if not isinstance(frame, AT_ONCE) or self._pace.wait():
            return False
        self.last_heard = self.node.hub.now()
        try:
            self._answer_now(frame)
        except (PermissionDenied, ValidationError) as error:
            self.refuse(frame, error)
        except Exception:  # `handle` meets it, too, and says whose it is
            return False
        return True

    def gone(self, at: datetime) -> None:
        """Away from everywhere since `at`."""
        for chore in self.chores:
            chore.cancel()
        while self.subscriptions:
            _room_id, subscription = self.subscriptions.popitem()
            self._drop(subscription, at)
        self._stop_watching(self.watched)

    def is_in(self, rooms: Set[int]) -> bool:
        """Whether it hears of one of these rooms."""
        return not rooms.isdisjoint(self.subscriptions) or not rooms.isdisjoint(self.watched)

    def heads(self) -> None:
        heads = {room: each.feed.head for room, each in self.subscriptions.items()}
        self.tell(frames.HeadsFrame(rooms=heads))

    def tell(self, frame: frames.ServerFrame) -> None:
        self.put(packet(encode(frame)))

    def refuse(self, frame: frames.Frame, error: PermissionDenied | ValidationError) -> None:
        if isinstance(error, ValidationError):
            code, wait = error.code or INVALID, retry_after(error)
        else:
            refusal_log.note(f"{type(frame).__name__.lower()} in a room of others", self.user.id)
            code, wait = "not_member", None
        REFUSALS.add("nack", code)
        self.tell(frames.NackFrame(
            code=code, detail=sentence(error, self.language), room=getattr(frame, "room", None),
            cid=getattr(frame, "cid", None), retry_after=wait or None, ref=frame.ref or None,
        ))  # fmt: skip
        self._pace.count(REFUSED - 1, REFUSED_SECONDS)

    async def _answer(self, frame: frames.Frame) -> None:
        match frame:
            case frames.Subscribe():
                await self._subscribe(frame)
            case frames.Unsubscribe():
                self._unsubscribe(frame)
            case frames.Read():
                await self._read(frame)
            case frames.Watch():
                await self._watch(frame)
            case _:
                self._answer_now(frame)

    def _answer_now(self, frame: frames.Frame) -> None:
        match frame:
            case frames.Send():
                self._send(frame)
            case frames.Typing(room=room):
                self._typing(room)
            case frames.Ping():
                self.tell(frames.PongFrame(ref=frame.ref or None))

    def _send(self, frame: frames.Send) -> None:
        if self.in_flight >= IN_FLIGHT_MAX:
            self.refuse(frame, TOO_MANY)  # not raised: under twice the load it is every other one
            return
        if self.node.draining:  # the process that comes next takes it
            raise unavailable()
        services.submit(frame.room, self.user, frame.body, frame.cid, Sending(self, frame))
        self.in_flight += 1  # unless that was refused

    # --- rooms --------------------------------------------------------------------------------

    async def _subscribe(self, frame: frames.Subscribe) -> None:
        before = self.subscriptions.get(frame.room)
        if before is None and len(self.subscriptions) >= frames.SUBSCRIPTIONS_MAX:
            raise ValidationError(_("Too many rooms on one socket."), code="too_many")

        def greet(
            state: log.MemberState, head: int, after: int, recovered: bool, kept: int | None
        ) -> None:
            self.node.snapshots.expect()
            self.tell(frames.SubscribedFrame(
                room=frame.room, head=head, after=after, read=state.read_seq,
                recovered=recovered, kept=kept, about=state.about, ref=frame.ref or None,
            ))  # fmt: skip

        subscription = await self._follow(frame, greet)
        if subscription is None:
            raise NotMember
        if subscription.stopped:  # the seat was given up meanwhile, and that was said
            self.node.hub.let_go(frame.room)
            return
        self._track(subscription)
        if before is not None:
            self._drop(before, self.node.hub.now())
        self.subscriptions[frame.room] = subscription
        self.node.snapshots.show(subscription, self.put)

    async def _follow(self, frame: frames.Subscribe, greet: Greet) -> Subscription | None:
        """What the hub hands out of the room from here on. A door may take it as it is."""
        return await self.node.hub.subscribe(
            frame.room, self.user.id, frame.last_line,
            put=self.send_now, ended=self._ended, greet=greet,
        )  # fmt: skip

    def _unsubscribe(self, frame: frames.Unsubscribe) -> None:
        if subscription := self.subscriptions.pop(frame.room, None):
            self._drop(subscription, self.node.hub.now())
        ref = frame.ref or None
        self.tell(frames.UnsubscribedFrame(room=frame.room, code="asked", ref=ref))

    def _ended(self, subscription: Subscription, code: str) -> None:
        """The seat is gone, by whichever door."""
        if self.subscriptions.get(subscription.room_id) is subscription:
            del self.subscriptions[subscription.room_id]
            self._drop(subscription, self.node.hub.now())
            self.node.presence.left(subscription.room_id, self.user.id)
        subscription.stop()
        self.tell(frames.UnsubscribedFrame(room=subscription.room_id, code=code))

    def _drop(self, subscription: Subscription, at: datetime) -> None:
        self.node.hub.unsubscribe(subscription)
        self._untrack(subscription, at)

    def _track(self, subscription: Subscription) -> None:
        self.node.presence.track(subscription.room_id, self.user.id, self.user.name)

    def _untrack(self, subscription: Subscription, at: datetime) -> None:
        self.node.presence.untrack(subscription.room_id, self.user.id, at, subscription.seen)

    def _typing(self, room_id: int) -> None:
        if room_id not in self.subscriptions:
            raise ValidationError(_("Subscribe to the room first."), code="not_subscribed")
        now = asyncio.get_running_loop().time()
        if now - self.typed.get(room_id, -TYPING_SECONDS) >= TYPING_SECONDS:
            self.typed[room_id] = now
            self.node.typing(room_id, self.user)

    async def _read(self, frame: frames.Read) -> None:
        rows = await self.node.reads.rows(
            log.READ, room=frame.room, user=self.user.id, seq=frame.seq
        )
        if not rows:
            raise NotMember
        self.node.mine.read(self.user.id, frame.room, rows[0][0], by=self)

    async def _watch(self, frame: frames.Watch) -> None:
        rows = await self.node.reads.rows(log.MY_HEADS, user=self.user.id, rooms=frame.rooms)
        heads = [log.Head(*row) for row in rows]
        self._stop_watching(self.watched - {head.room for head in heads})
        for head in heads:
            self.watched |= {head.room}
            await self.node.hub.watch(head, self.user.id, self.put)
        rooms = [frames.WatchedRoom(*head) for head in heads]
        self.tell(frames.WatchingFrame(rooms=rooms, ref=frame.ref or None))

    def _stop_watching(self, rooms: frozenset[int]) -> None:
        for room_id in rooms:
            self.node.hub.unwatch(room_id, self.put)
        self.watched = self.watched - rooms or _NONE
