"""Bodies of MESSAGE frames, encoded once: lines of a log, what the system says, who takes part."""

from collections.abc import Collection
from datetime import datetime
from functools import lru_cache

import msgspec
from django.utils import translation
from django.utils.translation import gettext
from msgspec import Struct

from accounts import stand_ins
from accounts.models import User
from interfaces.original import bodies
from messaging.log.event import PAGE_BYTES, Event

SYSTEM = "ChatTalk"  # who speaks where the original knows only people
KEPT = 512  # lines of late: each is encoded once for its sender, and once for all the others

_event = msgspec.json.Decoder(Event)
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


@lru_cache(KEPT)
def event(text: str) -> Event:
    """What stands in an `event` frame."""
    return _event.decode(text)


def username(event: Event, to: User) -> str:
    """What that reader calls the one who said it."""
    return stand_ins.shown(event.sender.id, event.sender.name, to)


def line(event: Event, username: str) -> dict[str, str]:
    """In the reader's language, as far as it is ours to say."""
    if event.kind in bodies.TYPES:
        return bodies.line(event, username)
    return _system(str(event.room), _said(event) % {"name": event.sender.name}, event.at)


def _said(event: Event) -> str:
    match event.kind:
        case "close":
            return gettext("%(name)s closed the room")
        case "open":
            return gettext("%(name)s opened the room again")
        case "owner":
            return gettext("%(name)s is the owner now")
        case _:
            return ""


def _system(chat_id: str, message: str, at: datetime) -> dict[str, str]:
    return {
        "chatId": chat_id,
        "type": "MESSAGE",
        "username": SYSTEM,
        "message": message,
        "createdAt": bodies.written(at),
    }


@lru_cache(KEPT)
def line_body(text: str, username: str, language: str) -> str:
    with translation.override(language):
        return encoded(line(event(text), username))


def told(chat_id: str, message: str, at: datetime) -> str:
    """What the system says: the original can be told in no other way."""
    return encoded(_system(chat_id, message, at))


def encoded(value: object) -> str:
    return _encoder.encode(value).decode()
