"""A message on its way into the log: as it was sent, who waits for it, and what became of it."""

from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

import msgspec
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

    @property
    def is_ours(self) -> bool:
        """Whether it is stored, now or before, with this text."""
        return self.seq is not None and self.same

    def receipt(self, draft: Draft) -> Receipt:
        assert self.seq is not None and self.at is not None, "only of what is stored"
        return Receipt(draft.room_id, draft.client_id, self.seq, self.at, self.repeated)


class Answer(Protocol):
    """What a future is to who answers it: called at once, between others, so it raises nothing."""

    def done(self) -> bool: ...

    def set_result(self, receipt: Receipt, /) -> None: ...

    def set_exception(self, error: Exception, /) -> None: ...


class Waiting(msgspec.Struct):  # made in a third of the time that a dataclass takes
    draft: Draft
    key: Key  # of the draft
    deadline: float  # of the event loop's clock
    answers: list[Answer] = []

    @property
    def is_open(self) -> bool:
        """Whether anybody waits for the answer still."""
        return not all(answer.done() for answer in self.answers)

    def answer(self, receipt: Receipt) -> None:
        """A sender who sent the same again meanwhile gets the same receipt, marked as a repeat."""
        for answer in self.answers:
            if not answer.done():
                answer.set_result(receipt)
            if not receipt.repeated and len(self.answers) > 1:
                receipt = receipt._replace(repeated=True)

    def refuse(self, error: Exception) -> None:
        for answer in self.answers:
            if not answer.done():
                answer.set_exception(error)


def numbered(
    batch: list[Waiting], rows: list[tuple[int, int, datetime]]
) -> tuple[list[tuple[Waiting, Receipt]], list[Waiting]]:
    """Those that are stored, and the others, by the rows of POST: of a room all are, or none."""
    heads = {room_id: (base, at) for room_id, base, at in rows}
    many = dict.fromkeys(heads, 0)
    stored, others = [], []
    for waiting in batch:
        room_id, _, client_id, _ = waiting.draft
        if room_id in heads:
            base, at = heads[room_id]
            many[room_id] += 1
            receipt = Receipt(room_id, client_id, base + many[room_id], at, False)
            stored.append((waiting, receipt))
        else:
            others.append(waiting)
    return stored, others


def unavailable() -> ValidationError:
    return ValidationError(UNAVAILABLE, code="unavailable", params={"retry_after": 1})


def conflict() -> ValidationError:
    return ValidationError(_("This message id was used for another text."), code="conflict")
