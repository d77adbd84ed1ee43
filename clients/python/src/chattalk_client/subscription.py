"""Being told what happens in a room: asked for at first, and again after every break."""

from datetime import datetime
from typing import Any

from chattalk_client.feed import Feed
from chattalk_client.outbox import Outbox

AGAIN = {"unavailable", "rate_limited"}  # codes of a `nack` that pass


class Subscription:
    """`after`: the `seq` to begin after, and `at`, when that line was written; None: from now on.
    `stands`: on the socket of now."""

    def __init__(
        self, room: int, after: int | None, at: datetime | None, feed: Feed, outbox: Outbox
    ) -> None:
        self._room, self._feed, self._outbox = room, feed, outbox
        self._after, self._at = after, at
        self._is_resuming = False
        self.stands = False

    @property
    def has_begun(self) -> bool:
        """It stood once: from then on it is resumed, before then whoever enters asks for it."""
        return self._feed.last is not None

    async def ask(self) -> None:
        """Until it stands. Raises Refused."""
        name = f"subscribe {self._room}"
        frame: dict[str, Any] = {"type": "subscribe", "room": self._room, "ref": name}
        if self._after is not None:
            frame["after"] = self._after
        if self._at is not None:
            frame["at"] = self._at.isoformat()
        await self._outbox.ask(name, frame, AGAIN)

    async def resume(self) -> None:
        """After the last line that is known; once at a time. Raises Refused."""
        if not self._is_resuming:
            self._is_resuming = True
            self._after, self._at = self._feed.known, self._feed.known_at
            try:
                await self.ask()
            finally:
                self._is_resuming = False

    def stood(self, frame: dict[str, Any]) -> None:
        """`subscribed` came."""
        self.stands = True
        where = {"kept": frame.get("kept"), "after": frame["after"]}
        self._feed.subscribed(self._after, frame["head"], frame["recovered"], **where)

    def lags(self, head: int) -> bool:
        """Lines up to `head` should be here by now, and nobody is asking for them."""
        return self.stands and not self._is_resuming and head > self._feed.known
