"""The door at /graphql/: one operation by POST, as JSON, from someone who is known.

200 with `data` (and `errors` for the fields that were refused) for what ran; 400 with `errors` for
a document that did not; problem details (RFC 9457) for what never was one.
"""

from functools import partial
from http import HTTPStatus
from typing import Any

import msgspec
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    NoSchemaIntrospectionCustomRule,
    OperationType,
    execute,
    parse,
    specified_rules,
    validate,
)
from graphql.execution.values import get_variable_values
from graphql.validation.specified_rules import recommended_rules
from rest_framework.exceptions import (
    APIException,
    MethodNotAllowed,
    NotAuthenticated,
    ParseError,
    UnsupportedMediaType,
)
from rest_framework.request import Request
from rest_framework.settings import api_settings

from accounts.models import User
from chattalk.graphql import limits, turns
from chattalk.graphql.errors import OUT_OF_REACH, shown
from chattalk.graphql.limits import Asked
from chattalk.schema import schema as graphene_schema

QUERY_SECONDS = 5.0
ERRORS_MAX = 10  # of a document that is not valid

schema = graphene_schema.graphql_schema


class Body(msgspec.Struct):
    """What is posted; other fields (`extensions`) are ignored."""

    query: str
    variables: dict[str, Any] | None = None
    operationName: str | None = None  # there is only one operation, whatever its name


class TooLarge(APIException):
    status_code = 413
    default_code = "too_large"
    default_detail = _("The request is too large.")


class Unavailable(APIException):
    status_code = 503
    default_code = "unavailable"
    default_detail = _("The server can't answer right now. Try again in a moment.")


class NotReady(Exception):
    """The document can't run: why, as GraphQL says it."""

    def __init__(self, *errors: Exception, status: int = 400) -> None:
        self.errors, self.status = errors, status


_decode = msgspec.json.Decoder(Body).decode
_encode = msgspec.json.Encoder().encode


@csrf_exempt  # asked of who comes with a cookie: SessionAuthentication does
@never_cache
def graphql(request: HttpRequest) -> HttpResponse:
    try:
        _check_form(request)
        user = _caller(request)
        return _answer(_run(_read(request), user))
    except APIException as refusal:
        return _problem(request, refusal)
    except NotReady as why:
        return _answer({"errors": [shown(error) for error in why.errors]}, why.status)


def _check_form(request: HttpRequest) -> None:
    if request.method != "POST":
        raise MethodNotAllowed(request.method or "")
    if request.content_type != "application/json":  # a form of a foreign page can't say this
        raise UnsupportedMediaType(request.content_type or "")


def _read(request: HttpRequest) -> Body:
    """Bounded before it is looked at. Raises APIException."""
    sent = request.read(limits.BODY_MAX + 1)
    if len(sent) > limits.BODY_MAX:
        raise TooLarge
    try:
        return _decode(sent)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise ParseError(_('Send {"query": …, "variables": …} as JSON.')) from error


def _caller(request: HttpRequest) -> User:
    """Who asks, by token or session. Raises APIException."""
    authenticators = [each() for each in api_settings.DEFAULT_AUTHENTICATION_CLASSES]
    try:
        user = Request(request, authenticators=authenticators).user
    except OUT_OF_REACH as error:
        raise Unavailable from error
    if not isinstance(user, User):
        raise NotAuthenticated
    return user


def _run(body: Body, user: User) -> dict[str, Any]:
    document, asked = _ready(body)
    is_query = asked.operation.operation is OperationType.QUERY
    seconds = QUERY_SECONDS + (0 if is_query else settings.SEAT_WAIT_SECONDS)
    operation = partial(
        execute,
        schema,
        document,
        variable_values=body.variables,
        hide_suggestions=not settings.DEBUG,
    )
    try:
        result: ExecutionResult = turns.run(operation, turns.Context(user), seconds)
    except ValidationError as late:
        raise NotReady(late, status=503) from None
    errors = result.errors or []
    if any(error.path is None for error in errors):  # it did not even begin
        raise NotReady(*errors)
    refused = {"errors": [shown(error) for error in errors]} if errors else {}
    return {"data": result.data, **refused}


def _ready(body: Body) -> tuple[DocumentNode, Asked]:
    """The document, when it may run. Raises NotReady; no resolver has run before it returns."""
    try:
        document = parse(
            body.query,
            max_lexical_tokens=limits.TOKENS_MAX,
            max_comments=limits.COMMENTS_MAX,
        )
        asked = limits.check_shape(document)
        if errors := validate(
            schema, document, _rules(), ERRORS_MAX, hide_suggestions=not settings.DEBUG
        ):
            raise NotReady(*errors)
        limits.check_amount(asked, schema, _variables(asked, body.variables or {}))
    except (GraphQLError, ValidationError) as error:
        raise NotReady(error) from None
    return document, asked


def _rules() -> list[Any]:
    usual = [*specified_rules, *recommended_rules]
    return usual if settings.DEBUG else [*usual, NoSchemaIntrospectionCustomRule]


def _variables(asked: Asked, given: dict[str, Any]) -> dict[str, Any]:
    definitions = asked.operation.variable_definitions or ()
    values = get_variable_values(
        schema, definitions, given, ERRORS_MAX, hide_suggestions=not settings.DEBUG
    )
    if isinstance(values, list):
        raise NotReady(*values)
    return values


def _answer(body: dict[str, Any], status: int = 200) -> HttpResponse:
    return HttpResponse(_encode(body), status=status, content_type="application/json")


def _problem(request: HttpRequest, refusal: APIException) -> HttpResponse:
    status = refusal.status_code
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": refusal.get_codes(),
        "detail": str(refusal.detail),
    }
    response = JsonResponse(body, status=status, content_type="application/problem+json")
    if status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="chattalk"'
    if status == 405:
        response["Allow"] = "POST"
    return response
