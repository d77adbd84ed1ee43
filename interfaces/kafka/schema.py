"""The schema of what the relay writes, for others' programs: docs/kafka.schema.json.

Made from the table of kinds. Fields may be added within a version, so readers pass over what they
don't know; what is there keeps its meaning.
"""

import json
from typing import Any

from django.utils.translation import override

from interfaces.kafka.records import VERSION
from messaging.log.kinds import KINDS, Kind, Rules

_NUMBER = {"type": "integer", "minimum": 1}
ALWAYS: dict[str, dict[str, Any]] = {
    "version": {"const": VERSION, "description": "of this schema"},
    "room": _NUMBER | {"description": "the room's number; the record's key is the same"},
    "seq": _NUMBER | {"description": "the line's number in its room: 1, 2, 3 … in this order"},
    "at": {"type": "string", "format": "date-time", "description": "when it was stored"},
    "sender": _NUMBER | {"description": "the number of the person whose line it is"},
}
# What only some kinds have: Rules.fields.
SOMETIMES: dict[str, dict[str, Any]] = {
    "cid": {"type": "string", "format": "uuid", "description": "the sender's own id, if given"},
    "body": {"type": "string", "description": "the text"},
}


def document() -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of a room's log, as ChatTalk's relay writes it to Kafka",
        "oneOf": [{"$ref": f"#/$defs/{kind}"} for kind in KINDS],
        "$defs": {str(kind): _of(Kind(kind), rules) for kind, rules in KINDS.items()},
    }


def _of(kind: Kind, rules: Rules) -> dict[str, Any]:
    with override("en"):
        label = str(kind.label)
    own = {name: SOMETIMES[name] for name in sorted(rules.fields)}
    required = [*ALWAYS, "kind", *(["body"] if rules.is_unread else [])]
    properties = ALWAYS | {"kind": {"const": str(kind)}} | own
    return {"type": "object", "title": label, "properties": properties, "required": required}


def text() -> str:
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"
