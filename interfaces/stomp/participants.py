"""One subscription to the participants of a room."""

from datetime import datetime
from typing import Any

from interfaces.stomp import bodies
from interfaces.stomp.subscriptions import Subscriber
from messaging.live.entries import Entry
from messaging.live.packets import Packet
from messaging.log.kinds import GIVES_SEAT, TAKES_SEAT


class Participants(Subscriber):
    """Everyone with a seat, and whether they are here: the whole list after each change."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._shown = 0

    def say(self, **frame: Any) -> None:
        if frame["type"] == "presence":
            self.context.rosters.stir(self.room_id)
            return
        if frame["type"] == "subscribed":
            self.context.rosters.watch(self.room_id, self._show)
        super().say(**frame)

    def _show(self, people: bodies.People) -> None:
        self._shown += 1
        headers = {"message-id": f"{self.command.id}-{self._shown}"}
        self.told.message(self, headers, people.told(self.account))

    def _line(self, entry: Entry) -> None:
        if entry.event.kind in GIVES_SEAT | TAKES_SEAT:
            self.context.rosters.stir(self.room_id, seats=True)

    def _other(self, packet: Packet) -> None:
        self.context.rosters.stir(self.room_id)

    def gone(self, at: datetime) -> None:
        self.context.rosters.unwatch(self.room_id, self._show)
        super().gone(at)

    def _ended(self, subscription: Any, code: str) -> None:
        self.context.rosters.unwatch(self.room_id, self._show)
        super()._ended(subscription, code)
