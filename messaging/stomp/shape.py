"""Bodies of MESSAGE frames, encoded once: lines of a log, what the system says, who takes part."""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache

import msgspec
from django.utils import translation
from django.utils.translation import gettext
from msgspec import Struct

from messaging.stomp import shapes
from messaging.wire import Event

SYSTEM = "ChatTalk"  # who speaks where the original knows only people
KEPT = 512  # lines of late: each is decoded and encoded once for all who get it

_event = msgspec.json.Decoder(Event)
_encoder = msgspec.json.Encoder()


class Participant(Struct):
    email: str
    isRead: bool  # noqa: N815  (here now)


@lru_cache(KEPT)
def event(text: str) -> Event:
    """What stands in an `event` frame."""
    return _event.decode(text)


def line(event: Event, email: str) -> dict[str, str]:
    """In the reader's language, as far as it is ours to say."""
    if event.kind in shapes.TYPES:
        return shapes.line(event, email)
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
        "createdAt": shapes.written(at),
    }


@lru_cache(KEPT)
def line_body(text: str, email: str, language: str) -> str:
    with translation.override(language):
        return encoded(line(event(text), email))


def told(chat_id: str, message: str, at: datetime) -> str:
    """What the system says: the original can be told in no other way."""
    return encoded(_system(chat_id, message, at))


def participants(people: Iterable[Participant]) -> str:
    return encoded(list(people))


def encoded(value: object) -> str:
    return _encoder.encode(value).decode()
