"""Where a client may subscribe and send. docs/policy.md has a row for each, and tests walk them."""

from enum import StrEnum
from typing import NamedTuple

from core.numbers import number


class Topic(StrEnum):
    """What SUBSCRIBE takes; the room's id follows where one is meant."""

    CHAT = "/sub/chat/"
    PARTICIPANTS = "/sub/participant/"
    ERRORS = "/user/queue/errors"


class SendDestination(StrEnum):
    """What SEND takes; the room's id is in the body."""

    ENTER = "/send/chat/enter"
    MESSAGE = "/send/chat/message"
    LEAVE = "/send/chat/leave"


class Place(NamedTuple):
    topic: Topic
    room: int | None

    @property
    def is_whole(self) -> bool:
        return self.room is not None or self.topic is Topic.ERRORS


def place(destination: str) -> Place | None:
    """None if there is no such destination; a room that is no number is none, too."""
    if destination == Topic.ERRORS:
        return Place(Topic.ERRORS, None)
    for topic in (Topic.CHAT, Topic.PARTICIPANTS):
        if destination.startswith(topic):
            return Place(topic, room_id(destination.removeprefix(topic)))
    return None


def room_id(text: str | int) -> int | None:
    """A room's id as a client writes it, as text or number; None for what is none."""
    found = number(str(text))
    return found if found and str(found) == str(text) else None  # a room has one address
