"""What one person's sockets are told, wherever they are open: how far they have read in a room, and
whether they have a seat in it.

Where they are open no process knows, so all are told, by one group. What comes within
GATHER_SECONDS goes together, of each room the newest only: who reads fast costs no more than who
reads slowly, and a crowd is one message. As all that goes over the layer it is a hint.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from messaging.live.frames import ReadFrame, SeatFrame
from messaging.live.packets import packet
from messaging.log.event import encode

GATHER_SECONDS = 0.25
WAITING_MAX = 5_000  # news; the one after these sends them off
TOLD_TOGETHER = 1_000  # news in one message of the layer


class News(NamedTuple):
    """What a person's sockets are told of one of their rooms, and by what frame."""

    kind: str  # `read` or `seat`
    user_id: int
    room_id: int
    value: int | bool

    @property
    def frame(self) -> ReadFrame | SeatFrame:
        if self.kind == "read":
            return ReadFrame(room=self.room_id, seq=self.value)
        return SeatFrame(room=self.room_id, taken=bool(self.value))


class NewsListener(Protocol):
    put: Callable[[Any], None]


class Mine:
    """The people whose sockets this process has. `tell` hands news to the other processes."""

    def __init__(self, tell: Callable[[dict[str, Any]], None]) -> None:
        self._tell = tell
        self._here: dict[int, tuple[NewsListener, ...]] = {}
        self._waiting: dict[tuple[str, int, int], tuple[News, NewsListener | None]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def come(self, user_id: int, listener: NewsListener) -> None:
        self._here[user_id] = (*self._here.get(user_id, ()), listener)

    def go(self, user_id: int, listener: NewsListener) -> None:
        left = tuple(one for one in self._here.get(user_id, ()) if one is not listener)
        if left:
            self._here[user_id] = left
        else:
            self._here.pop(user_id, None)

    def read(self, user_id: int, room_id: int, seq: int, by: NewsListener | None = None) -> None:
        """They have read up to there; the socket that said so knows it."""
        self.put([News("read", user_id, room_id, seq)], by)

    def put(self, news: Sequence[News], by: NewsListener | None = None) -> None:
        for each in news:
            self._gather(each, by)
        if len(self._waiting) > WAITING_MAX:
            self._send()
        elif self._timer is None and self._waiting:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(GATHER_SECONDS, self._send)

    def _gather(self, news: News, by: NewsListener | None) -> None:
        key = news.kind, news.user_id, news.room_id
        before = self._waiting.get(key)
        if before is None:
            self._waiting[key] = news, by
            return
        newest = max(before[0], news) if news.kind == "read" else news
        self._waiting[key] = newest, by if before[1] is by else None

    def _send(self) -> None:
        self.close()
        waiting, self._waiting = self._waiting, {}
        for news, by in waiting.values():
            self._show(news, by)
        for told in messages([news for news, _ in waiting.values()]):
            self._tell(told)

    def heard(self, told: dict[str, Any]) -> None:
        """What other processes tell."""
        for each in told["news"]:
            self._show(News(*each))

    def _show(self, news: News, by: NewsListener | None = None) -> None:
        others = [one for one in self._here.get(news.user_id, ()) if one is not by]
        if others:
            encoded = packet(encode(news.frame))
            for listener in others:
                listener.put(encoded)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def messages(news: Sequence[News]) -> Iterator[dict[str, Any]]:
    """For the channel layer."""
    for start in range(0, len(news), TOLD_TOGETHER):
        some = news[start : start + TOLD_TOGETHER]
        yield {"type": "mine", "news": [list(each) for each in some]}
