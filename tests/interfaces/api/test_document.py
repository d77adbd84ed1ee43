"""The OpenAPI document: valid, committed as it is, and shown at /api/docs/."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml
from django.core.management import call_command
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from openapi_spec_validator import validate

from interfaces.api import docs

COPY = Path(__file__).resolve().parents[3] / "docs" / "openapi.yaml"


def test_the_committed_document_is_the_one_that_is_served(tmp_path):
    made = tmp_path / "openapi.yaml"
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(made))
    assert made.read_text() == COPY.read_text(), "manage.py spectacular --file docs/openapi.yaml"


@pytest.fixture
def made(monkeypatch):
    """Nothing is made yet; says how often the document was."""
    docs._made.cache_clear()
    docs._schema.cache_clear()
    times, make = [], SchemaGenerator.get_schema

    def counted(self, **options):
        times.append(options)
        return make(self, **options)

    monkeypatch.setattr(SchemaGenerator, "get_schema", counted)
    return times


def asked(accept="application/yaml", **headers):
    return Client(raise_request_exception=False).get(
        "/api/schema/", headers={"Accept": accept, **headers}
    )


def test_all_who_ask_first_get_it_and_it_is_made_once(made, db):
    with ThreadPoolExecutor(16) as crowd:
        answers = list(crowd.map(lambda _nth: asked(), range(16)))
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.content.decode() for answer in answers} == {COPY.read_text()}
    assert len(made) == 1
    as_json = asked("application/json")
    assert json.loads(as_json.content) == yaml.safe_load(COPY.read_text())
    assert as_json["Content-Type"].startswith("application/json")
    assert len(made) == 1


def test_it_is_one_for_all_languages(made, db):
    korean = asked(**{"Accept-Language": "ko"}).content
    assert asked(**{"Accept-Language": "en"}).content == korean
    assert korean.decode() == COPY.read_text()


def test_who_has_it_is_told_that_it_still_holds(db):
    first = asked()
    assert first["Cache-Control"] == "public, no-cache"
    for known in (first["ETag"], "W/" + first["ETag"], '"another", ' + first["ETag"], "*"):
        again = asked(**{"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again["ETag"] == first["ETag"]
    assert asked(**{"If-None-Match": '"another"'}).status_code == 200
    assert asked("application/json")["ETag"] != first["ETag"]


def test_it_is_valid_openapi_3_1():
    document = yaml.safe_load(COPY.read_text())
    assert document["openapi"].startswith("3.1")
    validate(document)


def test_every_operation_says_how_it_refuses():
    for path, operations in yaml.safe_load(COPY.read_text())["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], (method, path)
            refusals = [status for status in operation["responses"] if status >= "400"]
            assert {"429", "503"} <= set(refusals), (method, path)
            for status in refusals:
                content = operation["responses"][status]["content"]
                assert list(content) == ["application/problem+json"]


def test_the_page_has_no_script_of_its_own_and_nothing_from_elsewhere(db):
    page = Client().get("/api/docs/")
    assert page.status_code == 200 and "unsafe-inline" not in page["Content-Security-Policy"]
    text = page.content.decode()
    assert "<style" not in text and text.count("<script") == text.count('<script src="/')
    assert (
        Client()
        .get("/api/docs/?script=")
        .headers["Content-Type"]
        .startswith("application/javascript")
    )
    assert Client().get("/api/schema/").status_code == 200
