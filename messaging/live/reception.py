"""A home's side: drafts that other processes hand to it go to its writer, in their order.

A hand-over that was lost must not let a later one overtake it, and one that lay for long, as before
a process that stood still, must not be stored any more: its origin has written it, or said that it
is not. Then nothing more is taken of that epoch, and the origin is told so. What waits here until
then is dropped as well: the origin has taken it back.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from messaging.live.drafts import Draft, Receipt
from messaging.live.refusals import REPEATED, STORED, code_of
from messaging.live.writer import Writer
from messaging.log.event import Person

NOTHING_MORE = -1  # is the next number of an epoch that has a gap
ORIGINS_MAX = 1_000  # processes that are remembered


class Reception:
    """`send` tells a process something, soon and at best; `now` is the database's clock; `said` is
    called for each draft: the rates of who says it are counted here, too."""

    def __init__(
        self,
        writer: Writer,
        send: Callable[[str, dict[str, Any]], None],
        now: Callable[[], datetime],
        said: Callable[[int, list[int]], None],
    ) -> None:
        self._writer, self._send, self._now, self._said = writer, send, now, said
        self.is_closed = False  # this process goes, and is no home any more
        self._origins: dict[str, tuple[int, int]] = {}  # its epoch, and the next number of it
        self._answers: dict[tuple[str, int], list[Any]] = {}

    def heard(self, told: dict[str, Any]) -> None:
        origin, epoch, number = told["by"], told["epoch"], told["number"]
        known, expected = self._origins.get(origin, (0, 0))
        if epoch > known:
            expected = 0
        elif epoch < known or expected == NOTHING_MORE:
            return  # taken back long ago
        left = told["until"] - self._now().timestamp()
        if number == expected and left > 0 and not self.is_closed:
            self._note(origin, epoch, number + 1)
            if told["drafts"]:
                self._take((origin, epoch), number, told["drafts"], left)
            else:  # it was only asked whether we are there
                self._send(origin, {"type": "answered", "epoch": epoch, "answers": []})
        else:
            self._note(origin, epoch, NOTHING_MORE)
            self._send(origin, {"type": "missed", "epoch": epoch, "leaves": self.is_closed})

    def _note(self, origin: str, epoch: int, number: int) -> None:
        """The last heard stand at the end; those that are gone are forgotten in the end."""
        self._origins.pop(origin, None)
        self._origins[origin] = epoch, number
        if len(self._origins) > ORIGINS_MAX:
            del self._origins[next(iter(self._origins))]

    def _take(self, origin: tuple[str, int], number: int, drafts: list[Any], left: float) -> None:
        until = asyncio.get_running_loop().time() + left
        self._writer.filling.others_come()
        for n, (room_id, sender_id, name, cid, body) in enumerate(drafts):
            draft = Draft(room_id, Person(sender_id, name), UUID(bytes=cid), body)
            self._said(room_id, [sender_id])
            self._writer.take(draft, AnswerAfar(self, origin, number, n, until), until)

    def answer(self, origin: tuple[str, int], answer: tuple[Any, ...]) -> None:
        if not self._answers:
            asyncio.get_running_loop().call_soon(self._tell)
        self._answers.setdefault(origin, []).append(answer)

    def _tell(self) -> None:
        answers, self._answers = self._answers, {}
        for (origin, epoch), some in answers.items():
            self._send(origin, {"type": "answered", "epoch": epoch, "answers": some})


class AnswerAfar:
    """What the writer has in place of a future, for a draft of another process."""

    __slots__ = ("_is_done", "_n", "_number", "_origin", "_reception", "_until")

    def __init__(
        self, reception: Reception, origin: tuple[str, int], number: int, n: int, until: float
    ) -> None:
        self._reception, self._origin = reception, origin
        self._number, self._n = number, n
        self._until = until  # then it is taken back
        self._is_done = False

    def done(self) -> bool:
        return self._is_done

    def set_result(self, receipt: Receipt) -> None:
        code = REPEATED if receipt.repeated else STORED
        self._tell(code, receipt.seq, receipt.at.timestamp())

    def set_exception(self, error: Exception) -> None:
        self._is_done = True
        if asyncio.get_running_loop().time() < self._until:
            self._tell(code_of(error), 0, 0.0)

    def _tell(self, *answer: Any) -> None:
        self._is_done = True
        self._reception.answer(self._origin, (self._number, self._n, *answer))
