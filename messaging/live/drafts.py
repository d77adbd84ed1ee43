"""A message on its way into the log: as it was sent, who waits for it, and what became of it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from messaging.log.event import Person

UNAVAILABLE = _("The server can't store messages right now. Try again in a moment.")


Key = tuple[int, int, int]  # room, sender, client id: a UUID is hashed by Python, a number is not


class Draft(NamedTuple):
    room_id: int
    sender: Person
    client_id: UUID
    body: str

    @property
    def key(self) -> Key:
        return self.room_id, self.sender.id, self.client_id.int


class Receipt(NamedTuple):
    """The answer to a sender, given after COMMIT."""

    room_id: int
    client_id: UUID
    seq: int
    at: datetime
    repeated: bool


class Outcome(NamedTuple):
    """What became of a draft: a row of POST_AGAIN in messaging/log/insert.py."""

    is_member: bool
    is_closed: bool
    seq: int | None  # None: not stored
    at: datetime | None
    repeated: bool
    same: bool  # false: another text has this id


class Answer(Protocol):
    """What a future is to who answers it."""

    def done(self) -> bool: ...

    def set_result(self, receipt: Receipt, /) -> None: ...

    def set_exception(self, error: Exception, /) -> None: ...


NOT_STORED = Outcome(False, False, None, None, False, True)


@dataclass(slots=True)
class Waiting:
    draft: Draft
    key: Key  # of the draft
    deadline: float  # of the event loop's clock
    answers: list[Answer] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        """Whether anybody waits for the answer still."""
        return not all(future.done() for future in self.answers)

    def answer(self, receipt: Receipt) -> None:
        """A sender who sent the same again meanwhile gets the same receipt, marked as a repeat."""
        for number, future in enumerate(self.answers):
            if number == 1:
                receipt = receipt._replace(repeated=True)
            if not future.done():
                future.set_result(receipt)

    def refuse(self, error: Exception) -> None:
        for future in self.answers:
            if not future.done():
                future.set_exception(error)


def numbered(
    batch: list[Waiting], rows: list[tuple[int, int, datetime]]
) -> list[tuple[Waiting, Outcome]]:
    """What became of each, by the rows of POST: of a room all are stored, or none."""
    heads = {room_id: (base, at) for room_id, base, at in rows}
    many: dict[int, int] = {}
    outcomes = []
    for waiting in batch:
        room_id = waiting.draft.room_id
        if head := heads.get(room_id):
            many[room_id] = k = many.get(room_id, 0) + 1
            outcomes.append((waiting, Outcome(True, False, head[0] + k, head[1], False, True)))
        else:
            outcomes.append((waiting, NOT_STORED))
    return outcomes


def unavailable() -> ValidationError:
    return ValidationError(UNAVAILABLE, code="unavailable", params={"retry_after": 1})


def conflict() -> ValidationError:
    return ValidationError(_("This message id was used for another text."), code="conflict")
