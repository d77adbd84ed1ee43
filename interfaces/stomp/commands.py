"""The one who acts by a STOMP session: speaks, enters, leaves."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from channels.db import database_sync_to_async

from accounts.models import User
from interfaces.socket.session import Client
from interfaces.stomp.answers import by_name
from messaging import services
from messaging.live import frames
from messaging.live.packets import Packet
from messaging.log.event import Person
from rooms.models import Room
from rooms.services import NotMember


class Enter(frames.ClientFrame, tag="enter", kw_only=True):
    room: int


class Leave(frames.ClientFrame, tag="leave", kw_only=True):
    room: int


class Sender(Client):
    """Its answers go to `told`. It subscribes to nothing: each subscription is a client itself."""

    def __init__(self, user: User, language: str) -> None:
        super().__init__(Person(user.pk, user.display_name), language, _nothing)
        self.account = user
        self.told: Callable[[dict[str, Any]], None] = lambda answer: None

    def tell(self, frame: frames.ServerFrame) -> None:
        self.say(**by_name(frame))

    def say(self, **frame: Any) -> None:
        self.told(frame)

    def gone(self, at: datetime) -> None:
        super().gone(at)
        self.told = lambda answer: None  # what is still under way is answered to nobody

    async def handle(self, frame: frames.Frame | Enter | Leave) -> None:
        await super().handle(frame)  # type: ignore[arg-type]  # and _answer knows two more

    async def _answer(self, frame: Any) -> None:
        match frame:
            case Enter():
                await self._seat(services.ajoin, frame)
            case Leave():
                await self._seat(_leave, frame)
            case frames.Read():  # which /ws/ does not answer
                await super()._answer(frame)
                self.say(type="done", ref=frame.ref)
            case _:
                await super()._answer(frame)

    async def _seat(
        self, change: Callable[[int, User], Awaitable[bool]], frame: Enter | Leave
    ) -> None:
        """Waits for it: what the client asks next may need the seat."""
        try:
            await change(frame.room, self.account)
        except Room.DoesNotExist:
            raise NotMember from None
        self.say(type="done", ref=frame.ref)


_leave = database_sync_to_async(services.leave, thread_sensitive=False)


def _nothing(packet: Packet) -> None:
    """It watches nothing, so nothing comes."""
