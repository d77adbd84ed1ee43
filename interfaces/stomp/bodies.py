"""Bodies of MESSAGE frames, encoded once: lines of a log, what the system says, who takes part."""

from collections.abc import Collection
from datetime import UTC, datetime
from functools import lru_cache

import msgspec
from django.utils import translation
from msgspec import Struct

from accounts import stand_ins
from accounts.models import User
from messaging.live.entries import Entry
from messaging.log.event import PAGE_BYTES, Event
from messaging.log.kinds import GIVES_SEAT, HAS_SENTENCE, TAKES_SEAT, UNREAD, sentence

SYSTEM = "ChatTalk"  # who speaks, on a wire that knows only people
TYPES = {
    **dict.fromkeys(UNREAD, "MESSAGE"),
    **dict.fromkeys(GIVES_SEAT, "ENTER"),
    **dict.fromkeys(TAKES_SEAT, "LEAVE"),
}
KEPT = 512  # lines of late: each is encoded once for its sender, and once for all the others

_encoder = msgspec.json.Encoder()


class Participant(Struct):
    email: str  # of oneself; a stand-in of everybody else
    isRead: bool  # noqa: N815  (here now)


class People:
    """The people of a room, encoded once for all; each is told their own e-mail in its place."""

    def __init__(self, people: Collection[tuple[int, str, bool]]) -> None:
        self._names = {
            user_id: stand_ins.stand_in(user_id, name) for user_id, name, _here in people
        }
        listed = [Participant(self._names[user_id], is_here) for user_id, _name, is_here in people]
        self.body = encoded(listed)
        if len(self.body.encode()) > PAGE_BYTES:
            self.body = encoded(_fitting(listed, PAGE_BYTES))

    def told(self, to: User) -> str:
        """A stand-in is in the list once: it ends with the person's number."""
        own = self._names.get(to.pk)
        return self.body if own is None else self.body.replace(encoded(own), encoded(to.email), 1)


def _fitting(people: list[Participant], most: int) -> list[Participant]:
    """What fits of a very large room: who is here first, then as many as there is room for."""
    kept = []
    for one in sorted(people, key=lambda one: not one.isRead):
        most -= len(encoded(one).encode()) + 1
        if most < 0:
            break
        kept.append(one)
    return kept


def username(event: Event, to: User) -> str:
    """What that reader calls the one who said it."""
    return stand_ins.shown(event.sender.id, event.sender.name, to)


def line(event: Event, username: str) -> dict[str, str]:
    """In the reader's language, as far as it is ours to say. What has no type of its own on this
    wire is a message of the system's."""
    said = sentence(event.kind, event.sender.name)
    if event.kind not in TYPES:
        return system(str(event.room), said, event.at)
    return {
        "chatId": str(event.room),
        "type": TYPES[event.kind],
        "username": username,
        "message": said or event.body,
        "createdAt": written(event.at),
    }


def system(chat_id: str, message: str, at: datetime) -> dict[str, str]:
    return {
        "chatId": chat_id,
        "type": "MESSAGE",
        "username": SYSTEM,
        "message": message,
        "createdAt": written(at),
    }


def written(at: datetime) -> str:
    """RFC 3339 in UTC, to the µs."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def line_body(entry: Entry, to: User, language: str) -> str:
    """The body of a line for that reader, encoded once for all who are told the same."""
    event = entry.event
    return _line_body(entry, username(event, to), language if event.kind in HAS_SENTENCE else "")


@lru_cache(KEPT)
def _line_body(entry: Entry, username: str, language: str) -> str:
    """A process has one entry of a line that is told, for all of its sockets."""
    with translation.override(language):
        return encoded(line(entry.event, username))


def encoded(value: object) -> str:
    return _encoder.encode(value).decode()
