"""What a SUBSCRIBE opens: each is a client of its own (interfaces/socket/session.py)."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from accounts.models import User
from interfaces.socket.session import Client, Greet
from interfaces.stomp import context
from interfaces.stomp.answers import by_name
from interfaces.stomp.destinations import Place
from messaging.live import frames
from messaging.live.entries import Entry
from messaging.live.packets import Packet
from messaging.live.subscription import Subscription
from messaging.log.event import Person


class SubscribeCommand(NamedTuple):
    """A SUBSCRIBE frame, understood."""

    id: str
    destination: str
    place: Place
    after: int | None
    receipt: str | None
    acknowledges: bool
    at: datetime | None = None  # of the line `after`


class Callbacks(NamedTuple):
    """What becomes of a subscription is told to its session by these."""

    message: Callable[["Subscriber", dict[str, str], str], None]  # headers of its own, the body
    live: Callable[["Subscriber", dict[str, Any]], None]  # the fields of `subscribed`
    refused: Callable[["Subscriber", dict[str, Any]], None]  # the fields of `nack`
    ended: Callable[["Subscriber", str], None]  # left, removed


class Subscriber(Client, ABC):
    """One subscription. A wire of another kind may be told, wait and end in its own way."""

    def __init__(
        self, user: User, language: str, command: SubscribeCommand, told: Callbacks
    ) -> None:
        super().__init__(Person(user.pk, user.display_name), language, self._other)
        self.account = user
        assert command.place.room is not None
        self.command, self.told = command, told
        self.room_id = command.place.room
        self.context = context.current()

    @property
    def is_live(self) -> bool:
        return bool(self.subscriptions)

    async def open(self) -> None:
        """The first thing that it does."""
        await self.begin()

    async def begin(self) -> None:
        """Become live, or be refused."""
        await self.handle(
            frames.Subscribe(room=self.room_id, after=self.command.after, at=self.command.at)
        )

    def tell(self, frame: frames.ServerFrame) -> None:
        self.say(**by_name(frame))

    def say(self, **frame: Any) -> None:
        match frame["type"]:
            case "subscribed":
                self.told.live(self, frame)
            case "nack":
                self.told.refused(self, frame)
            case "unsubscribed":
                self.told.ended(self, frame["code"])

    async def _follow(self, frame: frames.Subscribe, greet: Greet) -> Subscription | None:
        return await self.node.hub.subscribe(
            frame.room, self.user.id, frame.last_line,
            put=self._other, ended=self._ended, greet=greet, put_entry=self._line,
        )  # fmt: skip

    @abstractmethod
    def _line(self, entry: Entry) -> None:
        """A line of the room's log."""

    def _other(self, packet: Packet) -> None:
        """Frames of who is here, who types, what the room is: most subscriptions need none."""

    def farewell(self) -> None:
        """The client has said that it takes nothing more."""

    async def leave(self, at: datetime, *, is_clean: bool) -> None:
        """The subscription ends; `is_clean`: the client says so itself."""
        self.gone(at)

    def gone(self, at: datetime) -> None:
        super().gone(at)
        self.put = self.send_now = _nothing  # a method of its own: it would go in a circle


def _nothing(packet: Packet) -> None:
    """It has ended."""
