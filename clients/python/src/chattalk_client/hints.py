"""What is told but not kept: who is here, who types, how the room is. One may be lost, or be old
when it comes; the next one says how it is."""

from dataclasses import dataclass
from typing import Any

from chattalk_client.shapes import About, Person


@dataclass(frozen=True, slots=True)
class Presence:
    """Who is here. `count` is exact; `here` is all of them up to 200 people, then the first 200.

    came, went  what changed with this hint: people, and ids of people
    degraded    the site can't keep presence now: all of this may be old
    """

    room: int
    count: int = 0
    here: tuple[Person, ...] = ()
    came: tuple[Person, ...] = ()
    went: tuple[int, ...] = ()
    degraded: bool = False

    def after(self, frame: dict[str, Any]) -> "Presence":
        """How it is after this frame."""
        came = tuple(map(Person.of, frame.get("came", [])))
        went = tuple(each["id"] for each in frame.get("went", []))
        before = () if frame["full"] else self.here
        known = {person.id: person for person in before}
        known |= {each["id"]: Person.of(each) for each in frame.get("here", [])}
        known |= {person.id: person for person in came}
        here = tuple(person for person in known.values() if person.id not in went)
        return Presence(self.room, frame["count"], here, came, went, frame["degraded"])


@dataclass(frozen=True, slots=True)
class Typing:
    room: int
    person: Person


@dataclass(frozen=True, slots=True)
class ReadTo:
    """I have read up to `seq`, on another device of mine."""

    room: int
    seq: int


Hint = Presence | Typing | ReadTo | About
