"""The client of ChatTalk: rooms, their events in order, and nothing lost when a line breaks.

async with ChatTalk(url, email=…, password=…) as chat:
    room = await chat.enter(7)
    async for event in room.events():
        match event:
            case Message(sender=who, body=text) if who.id != chat.me.id:
                await room.send(f"{who.name} said {text}", patient=True)
"""

from chattalk_client.backoff import Loss
from chattalk_client.chat import ChatTalk
from chattalk_client.errors import (
    ChatTalkError,
    Closed,
    Ended,
    Failed,
    Refused,
    SignedOut,
    Unreachable,
)
from chattalk_client.events import (
    Close,
    Enter,
    Event,
    Leave,
    Line,
    Lost,
    Message,
    Open,
    Other,
    Owner,
    Page,
    Pruned,
    RoomEvent,
)
from chattalk_client.hints import Hint, Presence, ReadTo, Typing
from chattalk_client.observer import Observer
from chattalk_client.room import Room
from chattalk_client.session import Pair
from chattalk_client.shapes import About, Card, Person, Place, Receipt

__all__ = [
    "About",
    "Card",
    "ChatTalk",
    "ChatTalkError",
    "Close",
    "Closed",
    "Ended",
    "Enter",
    "Event",
    "Failed",
    "Hint",
    "Leave",
    "Line",
    "Loss",
    "Message",
    "Observer",
    "Open",
    "Other",
    "Owner",
    "Page",
    "Pair",
    "Person",
    "Place",
    "Presence",
    "Lost",
    "Pruned",
    "ReadTo",
    "Receipt",
    "Refused",
    "Room",
    "RoomEvent",
    "SignedOut",
    "Typing",
    "Unreachable",
]
