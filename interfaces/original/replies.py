"""What the original's page is told: it knows no /user/queue/errors, and an ERROR would cost it its
connection, so a refusal comes where it shows something, in the room."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import uuid4

from interfaces.original import bodies
from interfaces.stomp.destinations import Topic
from interfaces.stomp.replies import Replies, Transport


class PageReplies(Replies):
    """`in_room` finds the subscription to a destination by which the page can be told."""

    def __init__(
        self,
        transport: Transport,
        in_room: Callable[[str], str | None],
        now: Callable[[], datetime],
    ) -> None:
        super().__init__(transport.send, transport.close)
        self._in_room, self._now = in_room, now

    def _refuse_unheard(self, nack: dict[str, Any], destination: str) -> None:
        if subscription := self._in_room(destination):
            self._tell_in_room(subscription, destination, nack["detail"])
        else:
            super()._refuse_unheard(nack, destination)

    def _tell_in_room(self, subscription: str, destination: str, why: str) -> None:
        if destination.startswith(Topic.PARTICIPANTS):
            body = "[]"
        else:
            body = bodies.told(destination.removeprefix(Topic.CHAT), why, self._now())
        self.message(subscription, destination, {"message-id": uuid4().hex}, body)
