"""How large an answer may be and how long it may take, whatever is asked for and however."""

import asyncio
import time

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLString,
    execute,
    parse,
)

from core.answer_limit import ANSWER_MAX
from interfaces.graphql import execution
from interfaces.graphql.counted import Counted
from messaging import log, services
from rooms.models import Room
from tests.interfaces.graphql.conftest import Asker

LONGEST = "😀" * 4_000  # 16,000 bytes
MANY = 20  # rooms


@pytest.fixture
def full(room, alice, bob):
    """Every room of bob's is full of the longest lines that there are."""
    rooms = [room] + [services.open_room(alice, title="😀" * 80) for _ in range(MANY - 1)]
    for one in rooms:
        services.join(one.pk, bob)
        log.append(one.pk, "message", [alice.pk] * 60, LONGEST)
    Room.objects.update(description="😀" * 500)
    return rooms


def asked(asker, query, **variables):
    """The answer, and how many bytes it has."""
    raw = asker.client.post(
        "/graphql/", {"query": query, "variables": variables}, "application/json"
    )
    assert len(raw.content) <= ANSWER_MAX
    return raw.status_code, raw.json(), len(raw.content)


LARGE = {
    "lines of many rooms": "{myRooms(first:20){edges{node{events(first:25){edges{node{body}}}}}}}",
    "lines that nobody sees": "{myRooms(first:20){edges{node{events(first:99){edges{cursor}}}}}}",
    "last lines by fifteen names": "{myRooms(first:20){edges{node{"
    + " ".join(f"a{n}:lastEvent{{body}}" for n in range(15)) + "}}}}",
    "a text by fifteen names": "{myRooms(first:3){edges{node{lastEvent{"
    + " ".join(f"a{n}:body" for n in range(15)) + "}}}}}",
    "cards by fifteen names": "{"
    + " ".join(f"a{n}:rooms(first:100){{edges{{node{{title description}}}}}}" for n in range(15))
    + "}",
    "a long name on many": "{myRooms(first:20){edges{node{events(first:15){edges{node{"
    + "a" * 8_000 + ":seq}}}}}}}",
    "a long name on many that are null":
    "{myRooms(first:20){edges{node{events(first:15){edges{node{" + "a" * 8_000 + ":clientId}}}}}}}",
}  # fmt: skip


@pytest.mark.parametrize("name", LARGE)
def test_an_answer_that_grows_too_large_is_refused_whole(full, bob, name):
    status, answer, _size = asked(Asker(bob), LARGE[name])
    assert (status, answer["errors"][0]["extensions"]["code"]) == (400, "too_complex")
    assert "data" not in answer and len(answer["errors"]) == 1


def test_errors_count_as_well(room, alice, charlie):
    Room.objects.bulk_create(Room(title=f"Room {n}", owner=alice) for n in range(80))
    refused = " ".join(f"a{n}:lastEvent{{seq}}" for n in range(14))  # more by what is said of them
    query = "{rooms(first:80){edges{node{" + refused + "}}}}"
    status, answer, _size = asked(Asker(charlie), query)
    assert (status, answer["errors"][0]["extensions"]["code"]) == (400, "too_complex")


def test_a_page_of_very_long_lines_ends_early_and_the_next_goes_on(full, bob):
    query = """query ($room: ID!, $after: String) { room(number: $room) {
        events(first: 100, after: $after) {
            edges { node { seq body } } pageInfo { hasNextPage endCursor } } } }"""
    seqs, after = [], None
    while True:
        status, answer, size = asked(Asker(bob), query, room=full[0].pk, after=after)
        assert (status, size < 300 * 1024) == (200, True)
        page = answer["data"]["room"]["events"]
        seqs += [edge["node"]["seq"] for edge in page["edges"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert seqs == list(range(1, full[0].events.count() + 1))


def test_what_the_original_asks_for_ends_early_and_goes_on_from_its_last_time(full, alice, bob):
    query = """query ($room: String!, $since: String!) {
        getChatMessages(chatId: $room, exitTime: $since) { message createdAt } }"""
    lines = full[0].events.filter(kind="message")
    for nth, line in enumerate(lines.order_by("seq")):  # each at a time of its own
        lines.filter(pk=line.pk).update(created_at=f"2026-01-01T00:00:00.{nth:06}Z")
    since, told = "2026-01-01T00:00:00", set()
    for _page in range(9):
        status, answer, size = asked(Asker(bob), query, room=str(full[0].pk), since=since)
        assert (status, size < 300 * 1024) == (200, True)
        told |= {line["createdAt"] for line in answer["data"]["getChatMessages"]}
        since = answer["data"]["getChatMessages"][-1]["createdAt"]
    assert len(told) > MANY * 2


def test_what_people_usually_ask_for_is_answered(full, bob):
    query = """{ me { unread } myRooms(first: 20) { edges { node { title description
        seat { unread } lastEvent { body sender { name } } members(first: 5) { edges { node {
        person { name } } } } } } } }"""
    status, answer, size = asked(Asker(bob), query)
    assert status == 200 and "errors" not in answer, answer
    assert size > 320 * 1024  # twenty of the longest lines that there are


# --- by construction: of a schema that nobody has thought of ------------------------------------


made, taken = [], []


def _taken(nth):
    taken.append(nth)
    return {}


async def _late(_root, _info, n=0):
    made.append(n)
    await asyncio.sleep(0)
    return "x" * n


THING = GraphQLObjectType(
    "Thing",
    lambda: {
        "text": GraphQLField(GraphQLString, {"n": GraphQLArgument(GraphQLInt)}, _late),
        "things": GraphQLField(
            GraphQLNonNull(GraphQLList(GraphQLNonNull(THING))),
            {"n": GraphQLArgument(GraphQLInt)},
            lambda _root, _info, n=0: map(_taken, range(n)),
        ),
        "slow": GraphQLField(GraphQLInt, resolve=lambda _root, _info: time.sleep(0.01) or 1),
        "fails": GraphQLField(GraphQLInt, resolve=lambda _root, _info: 1 / 0),
    },
)
STRANGE = GraphQLSchema(THING)


def run(query, seconds=60.0):
    def operation(context_value):
        return execute(
            STRANGE, parse(query), context_value=context_value, execution_context_class=Counted
        )

    return execution.run(operation, execution.ResolverContext(None), seconds)


def test_up_to_the_bound_it_is_answered():
    assert run("{text(n: 500000)}").data == {"text": "x" * 500_000}
    assert len(run("{things(n: 9000) {text(n: 2)}}").data["things"]) == 9_000


@pytest.mark.parametrize(
    "query",
    [
        "{text(n: 600000)}",
        "{things(n: 700) {text(n: 900)}}",
        "{things(n: 100000) {text}}",
        "{things(n: 300) {things(n: 300) {text(n: 50)}}}",
        "{things(n: 2000) {fails}}",
        "{things(n: 500) {" + "a" * 2_000 + ": text}}",
    ],
)
def test_past_it_nothing_more_is_made(query):
    made.clear()
    taken.clear()
    with pytest.raises(ValidationError) as refusal:
        run(query)
    assert refusal.value.code == "too_complex"
    assert len(made) < 50_000 and len(taken) < 50_000


def test_time_is_looked_at_within_a_round():
    began = time.monotonic()
    with pytest.raises(ValidationError) as refusal:
        run("{things(n: 3000) {slow}}", seconds=0.3)
    assert refusal.value.code == "unavailable"
    assert time.monotonic() - began < 5  # and not 30


def test_what_is_asked_for_together_is_not_begun_once_the_time_is_over(db):
    begun = []

    def look(keys, **_same):
        begun.append(keys)
        time.sleep(0.2)
        return {}

    async def operation(context_value):
        return await asyncio.gather(*(context_value.load(look, 1, n=n) for n in range(20)))

    with pytest.raises(ValidationError):
        execution.run(operation, execution.ResolverContext(None), 0.3)
    assert len(begun) == 2


def test_a_statement_that_takes_too_long_is_given_up_and_the_connection_is_good(alice, monkeypatch):
    def slow(*_args, **_named):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(12)")

    monkeypatch.setattr("interfaces.graphql.loaders.open_rooms", slow)
    monkeypatch.setattr("interfaces.graphql.views.QUERY_SECONDS", 0.5)
    began = time.monotonic()
    answer = Asker(alice)("{ rooms { edges { cursor } } }")
    assert (answer.status, answer.code) == (503, "unavailable")
    assert time.monotonic() - began < 6
    monkeypatch.undo()
    assert Asker(alice)("{ rooms { edges { cursor } } }").data


def test_others_have_all_their_time(alice):
    assert Client().get("/").status_code == 200
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(0.2)")
