"""The door at /graphql/: one operation by POST, as JSON, from someone who is known.

200 with `data` (and `errors` for the fields that were refused) for what ran; 400 with `errors` for
a document that did not; problem details (RFC 9457) for what never was one.
"""

from functools import partial
from typing import Any

import msgspec
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
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
from rest_framework.exceptions import ParseError
from rest_framework.request import Request

from accounts.models import User
from core.problems import STATUS
from interfaces.api.parser import StrictJson
from interfaces.api.view import View
from interfaces.graphql import execution, limits
from interfaces.graphql.counted import Counted
from interfaces.graphql.errors import shown
from interfaces.graphql.limits import Operation
from interfaces.graphql.schema import TEXTS
from interfaces.graphql.schema import schema as graphene_schema

QUERY_SECONDS = 5.0
ERRORS_MAX = 10  # of a document that is not valid

schema = graphene_schema.graphql_schema
_encode = msgspec.json.Encoder().encode


class PostedQuery(msgspec.Struct):
    """What is posted; other fields (`operationName`, `extensions`) say nothing more."""

    query: str
    variables: dict[str, Any] | None = None


class SmallJson(StrictJson):
    most = limits.BODY_MAX


class NotReady(Exception):
    """The document can't run: why, as GraphQL says it."""

    def __init__(self, *errors: Exception, status: int = 400) -> None:
        self.errors, self.status = errors, status


class GraphQL(View):
    """Authentication, rate limits and refusals are those of the REST API."""

    parser_classes = (SmallJson,)
    schema = None  # of the OpenAPI document, in which it has no place

    def post(self, request: Request) -> HttpResponse:
        try:
            return _answer(_run(_body(request.data), request.user))
        except NotReady as why:
            return _answer({"errors": [shown(error) for error in why.errors]}, why.status)


def _body(data: Any) -> PostedQuery:
    try:
        return msgspec.convert(data, PostedQuery)
    except msgspec.ValidationError:
        text = _("Send an object with `query`, a text, and perhaps `variables`, an object.")
        raise ParseError(text) from None


def _run(body: PostedQuery, user: User) -> dict[str, Any]:
    document, asked = _ready(body)
    is_query = asked.operation.operation is OperationType.QUERY
    seconds = QUERY_SECONDS + (0 if is_query else settings.SEAT_WAIT_SECONDS)
    operation = partial(
        execute,
        schema,
        document,
        variable_values=body.variables,
        hide_suggestions=not settings.DEBUG,
        execution_context_class=Counted,
    )
    try:
        result: ExecutionResult = execution.run(operation, execution.ResolverContext(user), seconds)
    except ValidationError as spent:
        raise NotReady(spent, status=STATUS.get(spent.code, 400)) from None
    errors = result.errors or []
    if any(error.path is None for error in errors):  # it did not even begin
        raise NotReady(*errors)
    refused = {"errors": [shown(error) for error in errors]} if errors else {}
    return {"data": result.data, **refused}


def _ready(body: PostedQuery) -> tuple[DocumentNode, Operation]:
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
        variables = _variables(asked, body.variables or {})
        limits.check_amount(asked, schema, variables, TEXTS)
    except (GraphQLError, ValidationError) as error:
        raise NotReady(error) from None
    return document, asked


def _rules() -> list[Any]:
    usual = [*specified_rules, *recommended_rules]
    return usual if settings.DEBUG else [*usual, NoSchemaIntrospectionCustomRule]


def _variables(asked: Operation, given: dict[str, Any]) -> dict[str, Any]:
    definitions = asked.operation.variable_definitions or ()
    values = get_variable_values(
        schema, definitions, given, ERRORS_MAX, hide_suggestions=not settings.DEBUG
    )
    if isinstance(values, list):
        raise NotReady(*values)
    return values


def _answer(body: dict[str, Any], status: int = 200) -> HttpResponse:
    return HttpResponse(_encode(body), status=status, content_type="application/json")
