"""Whatever goes wrong under /api/, in the one shape of core/problems.py."""

import logging
import math
from typing import Any

from django.core.exceptions import (
    ObjectDoesNotExist,
    PermissionDenied,
    SuspiciousOperation,
    ValidationError,
)
from django.db import DatabaseError, InterfaceError
from django.http import Http404, HttpRequest, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from psycopg_pool import PoolTimeout
from rest_framework import exceptions
from rest_framework.response import Response

from core.postgresql.breaker import is_outage
from core.postgresql.reads import Unavailable
from core.problems import CONTENT_TYPE, INVALID, Problem, place, problem, refused
from core.rate_limits import TOO_FAST
from core.text import first_line
from rooms.services import NotMember

logger = logging.getLogger(__name__)


def answer(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's EXCEPTION_HANDLER: there is no error that it does not answer."""
    request = context.get("request")
    where = "parameter" if request is not None and request.method == "GET" else "pointer"
    found = _problem(error, where)
    response = Response(found.body, found.body["status"], content_type=CONTENT_TYPE)
    if found.retry_after:
        response["Retry-After"] = str(math.ceil(found.retry_after))
    if response.status_code == 401:
        response["WWW-Authenticate"] = 'Bearer realm="chattalk"'
    return response


def _problem(error: Exception, where: str) -> Problem:
    match error:
        case ValidationError():
            return refused(error, where)
        case exceptions.ValidationError():
            return _invalid(error, where)
        case exceptions.Throttled():
            return problem(429, "rate_limited", TOO_FAST, retry_after=error.wait)
        case exceptions.APIException():
            return problem(error.status_code, _code(error), error.detail)
        case NotMember():  # for who has no seat the inside of a room does not exist
            return problem(404, "not_member", str(error))
        case PermissionDenied():
            return problem(
                403, "permission_denied", str(error) or exceptions.PermissionDenied().detail
            )
        case Http404() | ObjectDoesNotExist():
            return problem(404, "not_found", _("There is nothing here."))
        case SuspiciousOperation() | MultiPartParserError():
            return problem(400, "bad_request", _("This request can't be read."))
        case DatabaseError() | InterfaceError() | PoolTimeout() | Unavailable() | TimeoutError():
            return _unavailable(error)
    logger.error("a request failed", exc_info=error)
    return problem(500, "error", _("Something went wrong here. It is written down."))


def _unavailable(error: Exception) -> Problem:
    if is_outage(error):
        logger.warning("the database does not answer: %s", first_line(error))
    else:
        logger.error("the database refused", exc_info=error)
    text = _("The server can't answer right now. Try again in a moment.")
    return problem(503, "unavailable", text, retry_after=1)


def _code(error: exceptions.APIException) -> str:
    code = error.get_codes()
    return code if isinstance(code, str) else error.default_code


def _invalid(error: exceptions.ValidationError, where: str) -> Problem:
    errors = list(_flat(error.get_full_details(), "", where))
    return problem(400, INVALID, errors[0]["detail"], errors=errors)


def _flat(found: Any, path: str, where: str) -> list[dict[str, Any]]:
    if isinstance(found, list):
        return [one for each in found for one in _flat(each, path, where)]
    if isinstance(found.get("message"), str):
        return [{"code": found["code"], "detail": str(found["message"])} | place(path, where)]
    inner = []
    for name, each in found.items():
        onward = path if name == "non_field_errors" else f"{path}/{name}".lstrip("/")
        inner += _flat(each, onward, where)
    return inner


@csrf_exempt  # there is nothing here that a page of somebody else's could change
def not_found(request: HttpRequest, **_path: str) -> JsonResponse:
    """For addresses under /api/ that are none."""
    found = problem(404, "not_found", _("There is nothing here."))
    return JsonResponse(found.body, status=404, content_type=CONTENT_TYPE)
