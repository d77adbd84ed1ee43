"""What the site tells about people and rooms: plain values that never change."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Role = Literal["owner", "member"]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, by the name they had when this was told; the `id` stays."""

    id: int
    name: str

    @classmethod
    def of(cls, told: dict[str, Any]) -> "Person":
        return cls(told["id"], told["name"])


@dataclass(frozen=True, slots=True)
class About:
    """A room as it is now. `owner` is a person's id; `personnel` says how many are members;
    `first` is the `seq` of the oldest event that is kept."""

    title: str
    description: str
    capacity: int
    owner: int
    closed: bool
    personnel: int
    first: int

    @classmethod
    def of(cls, told: dict[str, Any]) -> "About":
        return cls(**{name: told[name] for name in cls.__dataclass_fields__})


@dataclass(frozen=True, slots=True)
class Card:
    """A room as lists show it. `closed_at` is None while it is open."""

    id: int
    title: str
    description: str
    owner: Person
    capacity: int
    personnel: int
    created_at: datetime
    closed_at: datetime | None

    @classmethod
    def of(cls, told: dict[str, Any]) -> "Card":
        closed = told["closed_at"]
        return cls(
            told["id"],
            told["title"],
            told["description"],
            Person.of(told["owner"]),
            told["capacity"],
            told["personnel"],
            datetime.fromisoformat(told["created_at"]),
            closed and datetime.fromisoformat(closed),
        )


@dataclass(frozen=True, slots=True)
class Place:
    """My seat in a room: `read` is how far I have read, `head` the last `seq` there."""

    room: int
    role: Role
    read: int
    head: int

    @classmethod
    def of(cls, told: dict[str, Any]) -> "Place":
        return cls(**{name: told[name] for name in cls.__dataclass_fields__})


@dataclass(frozen=True, slots=True)
class Receipt:
    """A message is stored: as line `seq` of its room, by the site's clock. `repeated`: it had been
    before, and this answers a copy."""

    room: int
    cid: str
    seq: int
    at: datetime
    repeated: bool

    @classmethod
    def of(cls, told: dict[str, Any]) -> "Receipt":
        at = datetime.fromisoformat(told["at"])
        return cls(told["room"], told["cid"], told["seq"], at, told["repeated"])
