"""docs/graphql.md and docs/schema.graphql are what runs."""

import json
import re
from pathlib import Path

import pytest
from graphql import print_schema

from interfaces.graphql import limits, views
from interfaces.graphql.limits import LIST_MAX
from interfaces.graphql.pagination import PAGE, PAGE_MAX
from messaging import services
from tests.interfaces.graphql.conftest import Asker
from tests.interfaces.socket.test_wire_doc import shape
from tests.messaging.conftest import person

DOCS = Path(__file__).parents[3] / "docs"
DOC = (DOCS / "graphql.md").read_text()
EXAMPLES = re.findall(r"```graphql\n(.*?)```\s+```json\n(.*?)```", DOC, re.S)


def test_the_written_schema_is_the_schema():
    assert (DOCS / "schema.graphql").read_text().strip() == print_schema(views.schema).strip()


@pytest.mark.parametrize(("query", "answer"), EXAMPLES)
def test_each_example_is_answered_as_it_is_shown(room, alice, bob, query, answer):
    services.post(room.pk, person(alice), "hello")
    values = {"room": room.pk, "chat": str(room.pk), "email": bob.email}
    used = {name: value for name, value in values.items() if f"${name}" in query}
    assert shape(Asker(bob)(query, **used).body) == shape(json.loads(answer))


def test_there_are_examples():
    assert len(EXAMPLES) == DOC.count("```graphql") == 4


def test_the_limits_are_the_ones_that_hold():
    said = DOC.split("## Limits")[1]
    rows = dict(re.findall(r"^\| (.+?) \| (.+?) \|$", said, re.M))
    assert rows["body"] == f"{limits.BODY_MAX // 1024} KiB"
    assert rows["tokens, comments"] == f"{limits.TOKENS_MAX:,}, {limits.COMMENTS_MAX}"
    assert rows["fields within fields"] == str(limits.DEPTH_MAX)
    assert rows["aliases, directives"] == f"{limits.ALIASES_MAX}, {limits.DIRECTIVES_MAX}"
    selections = rows["fields and fragments, each as often as it is spread"]
    assert selections == str(limits.SELECTIONS_MAX)
    assert rows["items in a page; in a list without pages"] == f"{PAGE_MAX}; {LIST_MAX}"
    values = rows["values in the answer, if every page is full; messages' texts among them"]
    assert values == f"{limits.VALUES_MAX:,}; {limits.TEXTS_MAX}"
    assert rows["time"].startswith(f"{views.QUERY_SECONDS:g} s")
    assert f"the first {PAGE}" in DOC
