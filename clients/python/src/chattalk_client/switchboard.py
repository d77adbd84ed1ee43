"""Which frame is for whom: an answer for who asked, the rest for the room that it names."""

import logging
from datetime import datetime
from typing import Any

from chattalk_client.connection import Connection
from chattalk_client.observer import Observer
from chattalk_client.outbox import Outbox
from chattalk_client.room import Room
from chattalk_client.shapes import Person
from chattalk_client.sign_in import SignIn
from chattalk_client.site import Site
from chattalk_client.visit import Visit

ANSWERS = {"ack", "nack", "subscribed"}  # to what the outbox asks

log = logging.getLogger("chattalk_client")


class Switchboard:
    """Listens to a connection of its own. `me` is there from the first hello on."""

    me: Person

    def __init__(self, site: Site, sign_in: SignIn, observer: Observer | None) -> None:
        self._sign_in = sign_in
        self.connection = Connection(site, sign_in, self, observer)
        self._outbox = Outbox(self.connection)
        self._visits: dict[int, Visit] = {}

    async def enter(self, room_id: int, after: int | None, at: datetime | None) -> Room:
        """Raises Refused, ValueError, and why the connection is over."""
        if room_id in self._visits:
            raise ValueError(f"in room {room_id} already")
        line = self.connection, self._outbox, self._sign_in
        visit = self._visits[room_id] = Visit(room_id, after, at, line, self._forget)
        try:
            await visit.enter()
        except BaseException:
            self._forget(room_id)
            raise
        return Room(visit, self._outbox)

    def _forget(self, room_id: int) -> None:
        self._visits.pop(room_id, None)

    # --- what the connection tells --------------------------------------------------------------

    def opened(self) -> None:
        self.me = Person.of(self.connection.hello["user"])
        for visit in self._visits.values():
            self.connection.start(visit.resume())

    def lost(self) -> None:
        self._outbox.lost()
        for visit in self._visits.values():
            visit.lost()

    def heard(self, frame: dict[str, Any]) -> None:
        """Frames of types that this client does not know are left out."""
        if frame["type"] in ANSWERS:
            self._answered(frame)
        visit = self._visits.get(frame.get("room", 0))
        if frame["type"] == "heads":
            for each in self._visits.values():
                each.told_head(frame["rooms"].get(str(each.room_id), 0))
        elif visit is not None:
            visit.heard(frame)
        elif frame["type"] in ("subscribed", "event"):
            self.connection.start(self._decline(frame["room"]))

    def _answered(self, frame: dict[str, Any]) -> None:
        """To what asked for no answer, there is one only if it was refused."""
        name = frame.get("cid") or frame.get("ref")
        if not (name and self._outbox.answered(name, frame)) and frame["type"] == "nack":
            log.warning("refused: %s: %s", frame["code"], frame.get("detail"))

    async def _decline(self, room_id: int) -> None:
        """Who wanted to enter was cancelled, or has left, and is not told any more."""
        if room_id not in self._visits:
            await self.connection.hint({"type": "unsubscribe", "room": room_id})
