"""Every root field, every field of a room, and the ways around them, by everyone in
docs/policy.md."""

import json

import pytest
from django.test import Client
from graphql import GraphQLObjectType, get_named_type
from graphql_relay import to_global_id

from interfaces.graphql.views import schema
from tests.doors.policy import ROLES, scene, table

DOOR = "GraphQL `/graphql/`"
ROOTS = (schema.query_type, schema.mutation_type, schema.type_map["Room"])
FIELDS = [f"{kind.name}.{name}" for kind in ROOTS for name in kind.fields]
AROUND = {
    "node of an Event": "Query.node",
    "subscriptionsByEmail of another": "Query.subscriptionsByEmail",
    "getExitTime of another": "Query.getExitTime",
}
OPERATIONS = [*FIELDS, *AROUND]


def test_every_field_has_a_row():
    assert set(table(DOOR)) == set(OPERATIONS)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_cell_is_as_the_policy_says(transactional_db, operation, role):
    assert answered(operation, scene(role)) == table(DOOR)[operation][role]


def answered(operation, here):
    client = Client()
    if here.actor is not None:
        client.force_login(here.actor, "django.contrib.auth.backends.ModelBackend")
    answer = client.post("/graphql/", json.dumps(body(operation, here)), "application/json")
    if answer.status_code != 200:
        return str(answer.status_code)
    found = answer.json()
    if "errors" in found:
        return found["errors"][0]["extensions"]["code"]
    value = found["data"]["it"]["it"] if operation.startswith("Room.") else found["data"]["it"]
    if value is None:
        return "null"
    is_nothing = value == [] or (isinstance(value, dict) and value.get("edges") == [])
    return "nothing" if is_nothing else "data"


def body(operation, here):
    kind, name = AROUND.get(operation, operation).split(".")
    field = schema.type_map[kind].fields[name]
    values = values_of(operation, here)
    given = [f"{name}: {json.dumps(values[name])}" for name in field.args if name in values]
    arguments = f"({', '.join(given)})" if given else ""
    asked = f"it: {name}{arguments}{selected(field.type)}"
    if kind == "Room":
        asked = f'it: room(number: "{here.room.pk}") {{ {asked} }}'
    return {"query": f"{'mutation' if kind == 'Mutation' else 'query'} {{ {asked} }}"}


def values_of(operation, here):
    number = str(here.room.pk)
    nodes = {
        "Query.node": to_global_id("Room", number),
        "node of an Event": to_global_id("Event", f"{number}.1"),
    }
    of_another = operation.endswith("of another") or here.actor is None
    return {
        "id": nodes.get(operation, number),
        "number": number,
        "chatId": number,
        "email": here.mate.email if of_another else here.actor.email,
        "exitTime": "2000-01-01T00:00:00",
    }


def selected(kind):
    named = get_named_type(kind)
    if not hasattr(named, "fields"):
        return ""
    if isinstance(named, GraphQLObjectType) and "edges" in named.fields:
        return " { edges { cursor } }"
    return " { __typename }"
