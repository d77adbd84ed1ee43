"""An answer's bytes and the time it takes, counted while it is made: whatever is asked for, and
whatever the schema will have.

When one of them is spent nothing more is resolved. What is still to be completed then comes to
nothing, and what was made so far is thrown away (interfaces/graphql/execution.py).
"""

import time
from itertools import takewhile
from typing import Any

import msgspec
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from graphql import ExecutionContext, GraphQLError, GraphQLObjectType
from graphql.pyutils import Path

from core.answer_limit import ANSWER_MAX

ENVELOPE_BYTES = 1_024  # of an answer, around what is counted
ERROR_BYTES = 512  # about what an entry of `errors` takes, but for its path
NAME_BYTES = 8  # what stands around a name: quotes, colon, comma, and `null`

_encode = msgspec.json.Encoder().encode


class Budget:
    """The bytes and seconds that one operation has left. `why`: what it is refused with once one of
    them is spent."""

    __slots__ = ("_deadline", "_left", "why")

    def __init__(self, seconds: float) -> None:
        self._deadline = time.monotonic() + seconds
        self._left = ANSWER_MAX - ENVELOPE_BYTES
        self.why: ValidationError | None = None

    @property
    def seconds(self) -> float:
        return self._deadline - time.monotonic()

    def spend(self, amount: int) -> bool:
        """False once it is spent."""
        self._left -= amount
        if self.why is None and self._left < 0:
            self.why = too_large()
        return self.why is None and self.has_time()

    def has_time(self) -> bool:
        if self.why is None and self.seconds < 0:
            self.why = too_late()
        return self.why is None


class Counted(ExecutionContext):
    """graphql-core's own, whose `context_value` has a `budget`."""

    def execute_fields(
        self, parent_type: GraphQLObjectType, source_value: Any, path: Path | None, fields: Any
    ) -> Any:
        if not self._spend(sum(len(name.encode()) + NAME_BYTES for name in fields)):
            return {}
        return super().execute_fields(parent_type, source_value, path, fields)

    def execute_fields_serially(
        self, parent_type: GraphQLObjectType, source_value: Any, path: Path | None, fields: Any
    ) -> Any:
        self._spend(sum(len(name.encode()) + NAME_BYTES for name in fields))
        return super().execute_fields_serially(parent_type, source_value, path, fields)

    def complete_list_value(
        self, return_type: Any, field_nodes: Any, info: Any, path: Path, result: Any
    ) -> Any:
        budget = self.context_value.budget
        items = takewhile(lambda _item: budget.why is None, result)
        return super().complete_list_value(return_type, field_nodes, info, path, items)

    def complete_leaf_value(self, return_type: Any, result: Any) -> Any:  # type: ignore[override]
        value = super().complete_leaf_value(return_type, result)
        self._spend(len(_encode(value)))
        return value

    def handle_field_error(self, error: GraphQLError, return_type: Any, path: Path) -> None:
        super().handle_field_error(error, return_type, path)  # or it is told further up
        self._spend(ERROR_BYTES + len(_encode(path.as_list())))

    def _spend(self, amount: int) -> bool:
        return self.context_value.budget.spend(amount)


def too_large() -> ValidationError:
    text = _("The answer has more than %(most)d KiB. Ask for less at once.")
    return ValidationError(text, code="too_complex", params={"most": ANSWER_MAX // 1024})


def is_too_much(error: ValidationError) -> bool:
    """Whether the error refuses all of the document, and not one field of it."""
    return getattr(error, "code", None) == "too_complex"


def too_late() -> ValidationError:
    return ValidationError(_("This took too long. Ask for less at once."), code="unavailable")
