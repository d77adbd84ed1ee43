"""The OpenAPI document: valid, committed as it is, and shown at /api/docs/."""

from pathlib import Path

import yaml
from django.core.management import call_command
from django.test import Client
from openapi_spec_validator import validate

COPY = Path(__file__).resolve().parents[2] / "docs" / "openapi.yaml"


def test_the_committed_document_is_the_one_that_is_served(tmp_path):
    made = tmp_path / "openapi.yaml"
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(made))
    assert made.read_text() == COPY.read_text(), "manage.py spectacular --file docs/openapi.yaml"


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
