"""Each kind of line has all that the table of kinds asks for, and a rendering at each door: what a
new kind still lacks is named here."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.db.migrations.loader import MigrationLoader
from django.utils import translation

from interfaces.kafka import schema
from interfaces.stomp import bodies
from messaging import log
from messaging.followers import counters
from messaging.log.event import Event, Person, encode
from messaging.log.kinds import KINDS, UNREAD, Kind, sentence
from tests.chattalk.test_layout import ROOT

DOCS = ROOT / "docs" / "wire.md"


def test_the_table_has_each_kind_once():
    assert list(KINDS) == list(Kind)


@pytest.mark.parametrize("kind", KINDS)
def test_it_has_words_or_a_sentence(kind):
    assert bool(KINDS[kind].sentence) != ("body" in KINDS[kind].fields and KINDS[kind].is_unread)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if KINDS[kind].sentence])
def test_its_sentence_names_the_person_in_both_languages(kind):
    told = {}
    for language in ("en", "ko"):
        with translation.override(language):
            told[language] = sentence(kind, "Bob")
    assert "Bob" in told["en"] and "Bob" in told["ko"] and told["en"] != told["ko"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_document_of_the_wire_has_it(kind):
    paragraphs = DOCS.read_text().split("\n\n")
    [told] = [each for each in paragraphs if "New kinds may come" in each]
    assert f"`{kind}`" in told


@pytest.fixture(scope="module")
def of_rest():
    """Those that REST says there are."""
    document = (ROOT / "docs" / "openapi.yaml").read_text()
    [listed] = re.findall(r"^    EventKind:\n      enum:\n((?:      - \w+\n)+)", document, re.M)
    return re.findall(r"\w+", listed)


@pytest.mark.parametrize("kind", KINDS)
def test_the_document_of_rest_has_it(kind, of_rest):
    assert str(kind) in of_rest


@pytest.fixture(scope="module")
def of_kafka():
    """The schema that others' programs read."""
    return (ROOT / "docs" / "kafka.schema.json").read_text("utf-8")


@pytest.mark.parametrize("kind", KINDS)
def test_the_schema_of_kafka_has_it(kind, of_kafka):
    assert json.loads(of_kafka)["$defs"][kind] == schema.document()["$defs"][kind]


def test_the_schema_of_kafka_has_no_other_kind(of_kafka):
    assert set(json.loads(of_kafka)["$defs"]) <= set(KINDS)


@pytest.fixture(scope="module")
def migrated():
    """The table of events as the newest migration leaves it."""
    return MigrationLoader(None).project_state().models["messaging", "event"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_migration_writes_it_down(kind, migrated):
    assert str(kind) in dict(migrated.fields["kind"].choices)


@pytest.mark.parametrize("kind", KINDS)
def test_the_original_is_told_of_it_in_a_shape_that_it_knows(kind):
    event = Event(7, 1, kind, "2026-11-23T14:03:07Z", Person(3, "Bob"), body="hello")
    assert kind in bodies.TYPES or sentence(event.kind, "Bob")


def test_all_and_only_what_is_unread_is_counted_by_each_statement():
    counted = f"kind IN ({', '.join(repr(str(kind)) for kind in sorted(UNREAD))})"
    of_counters = (counters.LAST_MESSAGES, counters.BY_MINUTE)
    for statement in (log.UNREAD, log.MY_UNREAD, log.MISSED, log.COUNT_MISSED, *of_counters):
        assert counted in statement


SHOWN = """
globalThis.gettext = (text) => text;
const { KINDS } = await import("./static/js/conversation/kinds.js");
const shown = ({ isUnread, folds, sentence }) => isUnread || folds || sentence?.();
console.log(JSON.stringify(Object.keys(KINDS).filter((kind) => shown(KINDS[kind]))));
"""


@pytest.mark.skipif(
    not shutil.which("node") and not os.environ.get("CI"), reason="Node is not installed."
)
def test_the_pages_show_it(tmp_path):
    shutil.copytree(ROOT / "static" / "js", tmp_path / "static" / "js")
    Path(tmp_path / "package.json").write_text('{"type": "module"}')
    run = subprocess.run(
        ["node", "--input-type=module", "-e", SHOWN], cwd=tmp_path, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    assert set(json.loads(run.stdout)) == set(KINDS)


def test_a_kind_that_only_newer_processes_know_has_no_property():
    event = Event(7, 1, "reaction", "2026-11-23T14:03:07Z", Person(3, "Alice"))
    assert sentence(event.kind, "Alice") == "" and b"reaction" in encode(event)
