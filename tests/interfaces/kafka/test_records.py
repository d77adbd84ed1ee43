"""What a line is in Kafka, and that it is as docs/kafka.schema.json says."""

import json

import pytest
from jsonschema import Draft202012Validator

from interfaces.kafka import records, schema
from messaging.log.kinds import KINDS

AT = "2026-11-23T14:03:07.123456Z"
VALUES = {"cid": "00000000-0000-0000-0000-000000000007", "body": "안녕 <b>"}


@pytest.fixture(scope="module")
def validator():
    return Draft202012Validator(
        schema.document(), format_checker=Draft202012Validator.FORMAT_CHECKER
    )


def record(kind):
    own = {name: value for name, value in VALUES.items() if name in KINDS[kind].fields}
    return records.line(3, (4, kind, AT, 5, own.get("cid"), own.get("body", "")))


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_as_its_schema_says(kind, validator):
    value = json.loads(record(kind))
    validator.validate(value)
    assert set(value) == {*schema.ALWAYS, "kind", *KINDS[kind].fields}


def test_a_message_is_this():
    assert json.loads(record("message")) == {
        "version": 1,
        "room": 3,
        "seq": 4,
        "kind": "message",
        "at": "2026-11-23T14:03:07.123456Z",
        "sender": 5,
        "cid": "00000000-0000-0000-0000-000000000007",
        "body": "안녕 <b>",
    }


@pytest.mark.parametrize(
    "wrong", [{"version": 2}, {"seq": 0}, {"kind": "wave"}, {"sender": "Bob"}, {"body": None}]
)
def test_the_schema_refuses_what_is_no_line(wrong, validator):
    assert not validator.is_valid(json.loads(record("message")) | wrong)


def test_a_position_comes_back_as_it_was():
    position = records.RelayPosition(7, AT, 2)
    assert records.read_position(records.position(position)) == position
