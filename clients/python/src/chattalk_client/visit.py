"""What is known of a room while I am in it, by the frames that name it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from chattalk_client import events
from chattalk_client.connection import Connection
from chattalk_client.errors import Refused
from chattalk_client.events import Page
from chattalk_client.feed import Feed
from chattalk_client.hints import Presence, ReadTo, Typing
from chattalk_client.outbox import Outbox
from chattalk_client.reading import Events, Hints
from chattalk_client.shapes import About, Person
from chattalk_client.sign_in import SignIn
from chattalk_client.subscription import Subscription

PAGE_MAX = 100  # lines, as many as the site gives at once


class Visit:
    """`gone` is called when it is over. `about` is there from the first subscription on."""

    about: About

    def __init__(
        self,
        room_id: int,
        after: int | None,
        at: datetime | None,
        line: tuple[Connection, Outbox, SignIn],
        gone: Callable[[int], None],
    ) -> None:
        self.room_id = room_id
        self._connection, outbox, self._sign_in = line
        self._gone = gone
        self.ended: str | None = None
        self.read_seq = self._read_wanted = 0
        self.presence = Presence(room_id)
        self.feed = Feed(room_id)
        self._subscription = Subscription(room_id, after, at, self.feed, outbox)
        self.events = Events(self._connection, self.feed, self._page_after)
        self.hints = Hints(self._connection)

    # --- its life -------------------------------------------------------------------------------

    async def enter(self) -> None:
        """Until I am told what happens here. Raises Refused."""
        await self._subscription.ask()

    async def resume(self) -> None:
        """On a new socket, or where this one has left something out."""
        try:
            if self._subscription.has_begun:
                await self._subscription.resume()
        except Refused as refusal:
            self.end(refusal.code)

    def lost(self) -> None:
        """The socket is, or the client is over."""
        self._subscription.stands = False
        self.events.wake()
        self.hints.wake()

    async def exit(self) -> None:
        if self.ended is None:
            self.end("exited")
            await self.say_hint("unsubscribe")

    def end(self, why: str) -> None:
        """I am not in any more."""
        if self.ended is None:
            self.ended = why
            self.events.end()
            self.hints.end()
            self._gone(self.room_id)

    # --- what is said of it ---------------------------------------------------------------------

    def heard(self, frame: dict[str, Any]) -> None:
        """A frame that names this room."""
        match frame["type"]:
            case "event":
                self.feed.put(events.line(frame))
                self.events.wake()
            case "subscribed":
                self._subscribed(frame)
            case "unsubscribed":
                self._unsubscribed(frame["code"])
            case "presence":
                self.presence = self.presence.after(frame)
                self.hints.put(self.presence)
            case "typing":
                self.hints.put(Typing(self.room_id, Person.of(frame["user"])))
            case "about":
                self.about = About.of(frame["about"])
                self.hints.put(self.about)
            case "read":
                self.read_seq = max(self.read_seq, frame["seq"])
                self.hints.put(ReadTo(self.room_id, self.read_seq))

    def told_head(self, head: int) -> None:
        """The heartbeat of the subscription: the room has come so far."""
        if self._subscription.lags(head):
            self._connection.start(self.resume())

    def _subscribed(self, frame: dict[str, Any]) -> None:
        self.about = About.of(frame["about"])
        self.read_seq = max(self.read_seq, frame["read"])
        if (kept := frame.get("kept")) is not None:  # nobody has read what came in its place
            self.read_seq, self._read_wanted = frame["read"], min(self._read_wanted, kept)
        self._subscription.stood(frame)
        self.events.wake()
        if self._read_wanted > self.read_seq:
            self._connection.start(self.read(self._read_wanted))

    def _unsubscribed(self, code: str) -> None:
        """`asked`: by an `exit` from an earlier visit, which crossed what this one asked since."""
        if code != "asked":
            self.end(code)
        elif self._subscription.stands:
            self._connection.start(self.resume())

    # --- what I say and ask ---------------------------------------------------------------------

    async def say_hint(self, type: str, **fields: Any) -> None:
        """What needs no answer: by the socket of now, if there is one."""
        if self._subscription.stands:
            await self._connection.hint({"type": type, "room": self.room_id, **fields})

    async def read(self, seq: int) -> None:
        self._read_wanted = max(self._read_wanted, seq)
        await self.say_hint("read", seq=self._read_wanted)

    async def page(self, **wanted: int | None) -> Page:
        """`before`, `after`, `limit`. Raises Refused, Unreachable, SignedOut, Closed."""
        query = {name: value for name, value in wanted.items() if value is not None}
        path = f"rooms/{self.room_id}/events/"
        return Page.of(await self._sign_in.call("GET", path, query=query))

    async def _page_after(self, seq: int) -> Page:
        return await self.page(after=seq, limit=PAGE_MAX)
