"""How a refusal reads: GraphQL's own form for what a document met, problem details before that."""

import logging
from typing import Any

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError
from django.db import InterfaceError, OperationalError
from django.utils.translation import gettext as _
from graphql import GraphQLError
from psycopg_pool import PoolTimeout

log = logging.getLogger(__name__)

OUT_OF_REACH = (OperationalError, InterfaceError, PoolTimeout)  # what the database's absence raises


def shown(error: Exception) -> dict[str, Any]:
    """An entry of `errors`: `message` in the reader's language, and `extensions.code`. What
    nobody foresaw is logged, and not shown."""
    if not isinstance(error, GraphQLError):
        message, extensions = _refusal(error)
        return {"message": message, "extensions": extensions}
    if error.path is None or error.original_error is None:  # the document's own fault
        return {**error.formatted, "extensions": {"code": "bad_query"}}
    message, extensions = _refusal(error.original_error)
    return {**error.formatted, "message": message, "extensions": extensions}


def _refusal(cause: Exception) -> tuple[str, dict[str, Any]]:
    if isinstance(cause, ValidationError):
        return _invalid(cause)
    if isinstance(cause, PermissionDenied):
        return str(cause), {"code": "forbidden"}
    if isinstance(cause, ObjectDoesNotExist):
        return _("There is no such thing."), {"code": "not_found"}
    if isinstance(cause, OUT_OF_REACH):
        log.warning("unavailable: %s", cause)
        text = _("The server can't answer right now. Try again in a moment.")
        return text, {"code": "unavailable", "retry_after": 1}
    log.error("a GraphQL operation failed", exc_info=cause)
    return _("Something went wrong here."), {"code": "internal"}


def _invalid(cause: ValidationError) -> tuple[str, dict[str, Any]]:
    first = next(iter(cause.error_dict.values()))[0] if hasattr(cause, "error_dict") else cause
    first = first.error_list[0]
    extensions: dict[str, Any] = {"code": first.code or "invalid"}
    if isinstance(first.params, dict) and "retry_after" in first.params:
        extensions["retry_after"] = first.params["retry_after"]
    return first.messages[0], extensions
