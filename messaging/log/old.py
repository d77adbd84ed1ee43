"""Pages of a log from the replica, where nothing can be missing in them: lines are never changed,
and their numbers have no holes. What may be near the end of a log is the primary's."""

from typing import Any

from core.postgresql.replica import replica

Row = tuple[Any, ...]
SEQ = 1  # the column of a row


def before(sql: str, params: dict[str, Any]) -> list[Row] | None:
    """The lines before `before`, oldest first; None where the primary is to be asked."""
    found = replica.rows(sql, params)
    return list(found) if found and found[-1][SEQ] == params["before"] - 1 else None


def after(sql: str, params: dict[str, Any]) -> list[Row] | None:
    """The lines after `after`, if there are as many as were asked for."""
    found = replica.rows(sql, params)
    is_whole = found and found[0][SEQ] == params["after"] + 1 and _has_all(found, params)
    return list(found) if found and is_whole else None


def _has_all(found: Any, params: dict[str, Any]) -> bool:
    """A sized statement says how many lines it found, of which some may be too much."""
    many = found[0][-1] if len(found[0]) > 8 else len(found)
    return bool(many == params["limit"])
