"""How a refusal reads in GraphQL's own form. What it is called, all doors of HTTP say alike."""

from typing import Any

from graphql import GraphQLError

from core.problems import REFUSALS
from interfaces.api import errors


def shown(error: Exception) -> dict[str, Any]:
    """An entry of `errors`: `message` in the reader's language, and `extensions.code`. What
    nobody foresaw is logged, and not shown."""
    if not isinstance(error, GraphQLError):
        return _refusal(error)
    if error.path is None or error.original_error is None:  # the document's own fault
        REFUSALS.add("problem", "bad_query")
        return {**error.formatted, "extensions": {"code": "bad_query"}}
    return {**error.formatted, **_refusal(error.original_error)}


def _refusal(cause: Exception) -> dict[str, Any]:
    answer = errors.answer(cause, {})
    extensions = {"code": answer.data["code"]}
    if "Retry-After" in answer:
        extensions["retry_after"] = int(answer["Retry-After"])
    return {"message": answer.data["detail"], "extensions": extensions}
