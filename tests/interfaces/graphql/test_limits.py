"""What is too much is refused before anything of it runs, and early."""

import json

import pytest
from graphql.language import lexer

from interfaces.graphql import execution, limits
from interfaces.graphql.views import schema
from tests.interfaces.graphql.conftest import Asker


@pytest.fixture
def resolved(monkeypatch):
    """The names of the root fields that ran."""
    names = []

    def counted(name, resolve):
        def resolver(*args, **named):
            names.append(name)
            return resolve(*args, **named)

        return resolver

    for root in (schema.query_type, schema.mutation_type):
        for name, field in root.fields.items():
            monkeypatch.setattr(field, "resolve", counted(name, field.resolve))
    return names


def deep(levels):
    """`levels` fields, each within the other, by a way in a circle."""
    ring = ["rooms", "edges", "node", "events", "edges", "node", "sender", "name"]
    fields = (ring * levels)[: levels - 1] + ["__typename"]
    return "{" + "{".join(fields) + "}" * levels


def aliases(count):
    return "{" + " ".join(f"a{n}:me{{id}}" for n in range(count)) + "}"


def pairs(count):
    """Fragments that each spread the next one twice."""
    spreads = [f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(count)]
    return "{ ...F0 } " + " ".join(spreads) + f" fragment F{count} on Query {{ me {{ id }} }}"


def doubled(levels):
    inner = f"{{{doubled(levels - 1)}}}" if levels > 1 else ""
    return f"me{inner} me{inner} "


BOMBS = {
    "deep": deep(9),
    "very deep": deep(40),
    "deep without fields": "{" + "...{" * 17 + "me{id}" + "}" * 18,
    "aliases": aliases(16),
    "aliases up to the tokens": aliases(160),
    "aliases in fragments": "{...F ...G} fragment F on Query" + aliases(8)
    + "fragment G on Query" + aliases(8),
    "fragments that double": pairs(30),
    "a fragment that holds itself": "{...F} fragment F on Query {me{id} ...F}",
    "fragments in a circle": "{...F} fragment F on Query {...G} fragment G on Query {...F}",
    "directives": "{ me {id " + "@include(if:true)" * 120 + "} }",
    "unknown directives": "{ me {id " + "@a" * 480 + "} }",
    "directives of the operation": "query " + "@a" * 16 + "{me{id}}",
    "directives of a variable": "query ($a: Int " + "@a" * 16 + ") {__typename}",
    "two operations": "query A {me{id}} query B {me{id}}",
    "no operation": "fragment F on Query {me{id}}",
    "a field again and again": "{" + "me{id}" * 240 + "}",
    "a field as often as there may be selections": "{" + "me{id}" * 149 + "}",
    "twice in each of the same": "{" + doubled(6) + "}",
    "a leaf again and again": "{" + "__typename " * 290 + "}",
    "fragments side by side": "{" + "".join(f"...F{n} " for n in range(40)) + "}"
    + "".join(f"fragment F{n} on Query{{f{n}:__typename}}" for n in range(14)),
    "again in fragments in fragments":
        "{...{...{" + "me{id}" * 20 + "}}...{" + "me{id}" * 20 + "}}",
    "again where nothing spreads it": "{me{id}} fragment F on Query {" + "me{id}" * 100 + "}",
    "texts of the original": "{" + " ".join(
        f'a{n}:getChatMessages(chatId:"1",exitTime:""){{message}}' for n in range(2)) + "}",
    "pages in pages": "{rooms(first:100){edges{node{members(first:100){edges{cursor}}}}}}",
    "pages by a fragment": "{rooms(first:100){edges{node{...M}}}}"
    "fragment M on Room {members(last:100){edges{cursor}}}",
    "texts": "{rooms(first:51){edges{node{...E}}}}"
    "fragment E on Room {events(first:10){edges{node{body}}}}",
    "lists by aliases": "{" + " ".join(
        f'a{n}:subscriptionsByEmail(email:""){{id chatId email}}' for n in range(9)) + "}",
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_a_document_that_is_too_much_runs_nothing(alice, resolved, name):
    answer = Asker(alice)(BOMBS[name])
    assert (answer.status, answer.code) == (400, "too_complex")
    assert "data" not in answer.body
    assert resolved == []


@pytest.mark.parametrize("bomb", [deep(320), "{" + "...{" * 330 + "me{id}" + "}" * 331])
def test_what_is_too_deep_to_be_read_runs_nothing(alice, resolved, bomb):
    answer = Asker(alice)(bomb)
    assert (answer.status, answer.code) == (400, "bad_query")
    assert resolved == []


def test_the_parser_stops_at_the_last_token_that_counts(alice, resolved, monkeypatch):
    read, advance = [], lexer.Lexer.advance
    monkeypatch.setattr(lexer.Lexer, "advance", lambda self: read.append(1) or advance(self))
    answer = Asker(alice)("{" + "a " * 4_000 + "}")
    assert (answer.status, answer.code) == (400, "bad_query")
    assert len(read) <= limits.TOKENS_MAX + 1
    assert resolved == []


def test_twenty_thousand_aliases_are_not_even_read(alice, resolved, monkeypatch):
    monkeypatch.setattr("interfaces.graphql.views.parse", None)
    answer = Asker(alice)(aliases(20_000))
    assert (answer.status, answer.body["code"]) == (413, "too_large")
    assert resolved == []


@pytest.mark.parametrize("first", [-1, 0, 101, 99_999_999, 2**31 - 1])
def test_a_page_of_another_size_runs_nothing(alice, resolved, first):
    alices = Asker(alice)
    by_variable = "query ($n: Int) { rooms(first: $n) { edges { cursor } } }"
    by_default = f"query ($n: Int = {first}) {{ rooms(last: $n) {{ edges {{ cursor }} }} }}"
    literal = f"{{ rooms(first: {first}) {{ edges {{ cursor }} }} }}"
    for answer in (alices(by_variable, n=first), alices(by_default), alices(literal)):
        assert (answer.status, answer.code) == (400, "bad_page")
    assert resolved == []


def test_what_is_just_not_too_much_runs(alice, resolved):
    alices = Asker(alice)
    alices(aliases(15)).data  # noqa: B018
    deepest = "{myRooms{edges{node{events{edges{node{sender{name}}}}}}}}"
    assert alices(deepest).data == {"myRooms": {"edges": []}}
    texts = "{rooms(first:50){edges{node{events(first:10){edges{node{body}}}}}}}"
    assert alices(texts).data == {"rooms": {"edges": []}}
    query = "{ me { id } }"
    frame = len(json.dumps({"query": query, "variables": {}}).encode())
    alices(query + " " * (limits.BODY_MAX - frame)).data  # noqa: B018
    assert alices(query + " " * (limits.BODY_MAX - frame + 1)).status == 413
    assert len(resolved) == 18


def test_what_takes_too_long_is_given_up(alice, monkeypatch):
    monkeypatch.setattr("interfaces.graphql.views.QUERY_SECONDS", -1)
    answer = Asker(alice)("{ rooms { edges { cursor } } }")
    assert (answer.status, answer.code) == (503, "unavailable")


def test_every_waiting_resolver_is_asked_for_in_one_turn():
    asked = []

    def squares(keys):
        asked.append(sorted(keys))
        return {key: key * key for key in keys if key != 3}

    async def operation(context_value):
        waiting = [context_value.load(squares, n) for n in (1, 2, 3, 2)]
        return [await each for each in waiting]

    assert execution.run(operation, execution.ResolverContext(None), 5) == [1, 4, None, 4]
    assert asked == [[1, 2, 3]]
