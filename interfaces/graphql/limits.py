"""What a document may ask for, judged before any of it runs.

Fragments are counted where they are spread, each time: what is small to write may be big to do.
What nothing spreads is counted too, for to validate it costs as much. How large an answer is, and
how long it takes, is counted while it is made (counted.py): this only spares the work.
"""

from collections import Counter
from collections.abc import Set
from functools import cache
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLList,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_nullable_type,
)

from interfaces.graphql.pagination import PAGE, check_size

BODY_MAX = 10 * 1024  # bytes
TOKENS_MAX = 1_000
COMMENTS_MAX = 100
DEPTH_MAX = 8  # fields within fields
NESTING_MAX = 16  # selections within selections, fragments too
ALIASES_MAX = 15
DIRECTIVES_MAX = 15
SELECTIONS_MAX = 300
REPEATS_MAX = 30  # names that stand at a place again: GraphQL compares each of them with each
LIST_MAX = 500  # items in a list that has no pages
VALUES_MAX = 10_000  # in the answer, if every page is full
TEXTS_MAX = 500  # of them texts of messages: schema.py knows which fields have those

ANYWHERE = -1_000  # a depth

_INTROSPECTION = {"__schema", "__type"}  # with bounds of its own, and only with DEBUG


class Operation(NamedTuple):
    """A document's only operation, and its fragments."""

    operation: OperationDefinitionNode
    fragments: dict[str, SelectionSetNode]


class _Place(NamedTuple):
    selections: SelectionSetNode
    depth: int
    nesting: int
    inside: tuple[str, ...]  # which fragments
    names: dict[str, Any]  # what is answered at this place, and the names within each


def too_complex(text: str, **params: Any) -> ValidationError:
    return ValidationError(text, code="too_complex", params=params)


def check_shape(document: DocumentNode) -> Operation:
    """How deep and how wide it is. Raises ValidationError(too_complex)."""
    asked = _taken_apart(document)
    counts: Counter[str] = Counter()
    spread: set[str] = set()
    _count(_Place(asked.operation.selection_set, 1, 1, (), {}), asked, counts, spread)
    for name, selections in asked.fragments.items():
        if name not in spread:  # or only within introspection: how deep they are is no matter
            _count(_Place(selections, ANYWHERE, ANYWHERE, (name,), {}), asked, counts, spread)
    return asked


def _count(begin: _Place, asked: Operation, counts: Counter[str], spread: set[str]) -> None:
    waiting = [begin]
    while waiting:
        place = waiting.pop()
        for selection in place.selections.selections:
            name = _name(selection)
            counts["selections"] += 1
            counts["aliases"] += bool(getattr(selection, "alias", None))
            counts["directives"] += len(selection.directives)
            counts["repeats"] += name in place.names
            _compare(**counts)
            if inner := _within(selection, place, asked.fragments):
                waiting.append(inner)
                spread.update(inner.inside)
            place.names.setdefault(name, {})


def _name(selection: Any) -> str:
    """What GraphQL compares it by: a field's name in the answer; all fragments are alike."""
    if isinstance(selection, FieldNode):
        return (selection.alias or selection.name).value
    return "..."


def _taken_apart(document: DocumentNode) -> Operation:
    found = document.definitions
    operations = [one for one in found if isinstance(one, OperationDefinitionNode)]
    if len(operations) != 1:
        raise too_complex(_("Send one operation at a time."))
    fragments = [one for one in found if isinstance(one, FragmentDefinitionNode)]
    variables = operations[0].variable_definitions or ()
    definitions: list[Any] = [*operations, *fragments, *variables]
    _compare(directives=sum(len(one.directives) for one in definitions))
    return Operation(operations[0], {one.name.value: one.selection_set for one in fragments})


def _compare(**counted: int) -> None:
    most = {
        "selections": SELECTIONS_MAX,
        "aliases": ALIASES_MAX,
        "directives": DIRECTIVES_MAX,
        "repeats": REPEATS_MAX,
    }
    for what, count in counted.items():
        if count > most[what]:
            text = _("The query has more than %(most)d %(what)s.")
            raise too_complex(text, most=most[what], what=what)


def _within(selection: Any, place: _Place, fragments: dict[str, SelectionSetNode]) -> _Place | None:
    """What is selected within it; None for a field that has nothing below."""
    depth, inside, names, selections = place.depth, place.inside, place.names, None
    if isinstance(selection, FragmentSpreadNode):
        name = selection.name.value
        if name in inside:
            raise too_complex(_("A fragment can't hold itself."))
        inside, selections = (*inside, name), fragments.get(name)
    elif isinstance(selection, FieldNode) and selection.name.value in _INTROSPECTION:
        return None
    else:
        selections = selection.selection_set
        if isinstance(selection, FieldNode):
            depth, names = depth + 1, names.setdefault(_name(selection), {})
    if depth - 1 > DEPTH_MAX or place.nesting > NESTING_MAX:
        raise too_complex(_("The query is nested deeper than %(most)d fields."), most=DEPTH_MAX)
    return _Place(selections, depth, place.nesting + 1, inside, names) if selections else None


def check_amount(
    asked: Operation, schema: GraphQLSchema, variables: dict[str, Any], text_fields: Set[str]
) -> int:
    """How many values a valid operation answers at most. Raises ValidationError (bad_page,
    too_complex)."""
    sizes = _sizes(schema)
    texts = 0

    def count(selections: SelectionSetNode, times: int) -> int:
        nonlocal texts
        values = 0
        for selection in selections.selections:
            if isinstance(selection, FragmentSpreadNode):
                values += count(asked.fragments[selection.name.value], times)
            elif isinstance(selection, InlineFragmentNode):
                values += count(selection.selection_set, times)
            elif isinstance(selection, FieldNode) and selection.name.value not in _INTROSPECTION:
                values += times
                texts += times if selection.name.value in text_fields else 0
                if selection.selection_set:
                    size = _size(selection, sizes, variables)
                    values += count(selection.selection_set, times * size)
        return values

    values = count(asked.operation.selection_set, 1)
    if values > VALUES_MAX:
        text = _("The answer could hold %(values)d values; ask for %(most)d at most.")
        raise too_complex(text, values=values, most=VALUES_MAX)
    if texts > TEXTS_MAX:
        text = _("The answer could hold %(texts)d messages; ask for %(most)d at most.")
        raise too_complex(text, texts=texts, most=TEXTS_MAX)
    return values


def _size(field: FieldNode, sizes: dict[str, int], variables: dict[str, Any]) -> int:
    """How many items the field has at most."""
    size = sizes.get(field.name.value, 1)
    for argument in field.arguments:
        if argument.name.value in ("first", "last"):
            given = _number(argument.value, variables)
            check_size(given)
            size = size if given is None else given
    return size


def _number(value: Any, variables: dict[str, Any]) -> int | None:
    if isinstance(value, VariableNode):
        return variables.get(value.name.value)
    return int(value.value) if isinstance(value, IntValueNode) else None


@cache
def _sizes(schema: GraphQLSchema) -> dict[str, int]:
    """The fields that have many items, with how many they have unless they are told."""
    sizes = {}
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__"):
            for name, field in kind.fields.items():
                if "first" in field.args:
                    sizes[name] = PAGE
                elif isinstance(get_nullable_type(field.type), GraphQLList) and name != "edges":
                    sizes[name] = LIST_MAX
    return sizes
