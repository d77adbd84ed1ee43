"""docs/wire.md is what runs: its frames are replayed, and the answers have the shapes it shows."""

import ast
import json
import re
import typing
from pathlib import Path

import msgspec
import pytest
from asgiref.sync import sync_to_async

from messaging import services
from messaging.live import frames
from messaging.live.close_codes import COME_BACK, CloseCode
from messaging.log.event import About
from tests.interfaces.socket.client import socket

DOC = (Path(__file__).parents[3] / "docs" / "wire.md").read_text()
CLIENT, SERVER = DOC.split("## From the server")


def examples(text: str) -> list[dict]:
    blocks = re.findall(r"```json\n(.*?)```", text, re.S)
    return [json.loads(line) for block in blocks for line in block.splitlines()]


def shape(value):
    """Names and kinds of the fields; the keys of a mapping by id are one."""
    if isinstance(value, dict):
        if all(key.isdigit() for key in value):
            return {"id": shape(next(iter(value.values())))} if value else {}
        return {key: shape(each) for key, each in value.items()}
    if isinstance(value, list):
        return [shape(each) for each in value[:1]]
    return type(value).__name__


@pytest.mark.parametrize("frame", examples(CLIENT), ids=lambda frame: frame["type"])
def test_each_frame_of_a_client_is_understood(frame):
    understood = frames.decode(json.dumps(frame))
    assert type(understood).__name__.lower() == frame["type"]


def test_every_type_is_in_the_document():
    shown = {frame["type"] for frame in examples(CLIENT)}
    assert shown == ASKED.keys()


# --- each frame and field that is documented is in a Struct, and the other way round ------------

ASKED = {kind.__struct_config__.tag: kind for kind in frames.Frame.__args__}
TOLD = {kind.__struct_config__.tag: kind for kind in frames.SERVER_FRAMES}
ELSEWHERE = {"event", "presence"}  # described by sections of their own: their examples count


def table(text: str, head: str) -> dict[str, list[str]]:
    """The first table whose head begins so: each row's first word, and its other cells."""
    rows = text.split(head, 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    cells = [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]
    return {names(first)[0]: rest for first, *rest in cells}


def names(text: str) -> list[str]:
    return re.findall(r"`([a-z_]+)`", text)


def documented(cell: str) -> set[str]:
    """The fields that a cell lists: what is in brackets, or after a colon, says what they mean."""
    return set(names(re.sub(r"\([^)]*\)", "", cell).split(":")[0]))


def fields(kind: type[msgspec.Struct]) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(kind)}


def structs_in(annotation) -> list[type[msgspec.Struct]]:
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return [annotation]
    return [kind for each in typing.get_args(annotation) for kind in structs_in(each)]


def unknown_in(value, kind: type[msgspec.Struct], tag: tuple[str, ...] = ()) -> set[str]:
    """The names in an example that its Struct, or one within it, does not have; and of a Struct
    within it those that the example lacks."""
    found = set(value) - fields(kind) - set(tag)
    for field in msgspec.structs.fields(kind):
        inner, shown = structs_in(field.type), value.get(field.encode_name)
        for one in shown if isinstance(shown, list) else [shown] if shown else []:
            for struct in inner:
                found |= unknown_in(one, struct) | (fields(struct) - set(one))
    return found


def test_the_tables_name_every_frame_and_no_other():
    assert table(CLIENT, "| frame | fields | answer |").keys() == ASKED.keys()
    assert table(SERVER, "| frame | fields |").keys() == TOLD.keys()


def test_the_tables_name_every_field_and_no_other():
    for tag, (cell, _answer) in table(CLIENT, "| frame | fields | answer |").items():
        assert documented(cell) == fields(ASKED[tag]) - {"ref"}, tag
    for tag, (cell,) in table(SERVER, "| frame | fields |").items():
        if tag not in ELSEWHERE:
            own = {"ref"} if tag != "nack" else set()  # of all that answer it is said once
            assert documented(cell) == fields(TOLD[tag]) - own, tag


def test_what_is_answered_gives_back_the_ref():
    assert all("ref" in fields(kind) for kind in ASKED.values())
    rows = table(CLIENT, "| frame | fields | answer |").values()
    answers = {names(answer)[0] for _fields, answer in rows if answer.startswith("`")}
    assert {tag for tag, kind in TOLD.items() if "ref" in fields(kind)} == answers | {"nack"}


def test_the_examples_have_no_field_that_is_not_there():
    for frame in examples(CLIENT):
        assert not unknown_in(frame, ASKED[frame["type"]], ("type",)), frame
    for frame in examples(SERVER):
        assert not unknown_in(frame, TOLD[frame["type"]], ("type",)), frame


@pytest.mark.parametrize("tag", sorted(TOLD))
def test_the_examples_show_every_frame(tag):
    shown = [set(frame) for frame in examples(SERVER) if frame["type"] == tag]
    assert shown
    if tag in ELSEWHERE:
        assert set().union(*shown) == fields(TOLD[tag]) | {"type"}


def test_the_room_as_it_is_has_the_fields_that_are_told():
    told = SERVER.split("`about` says ", 1)[1].split(". It comes with", 1)[0]
    assert set(names(re.sub(r"\([^)]*\)", "", told))) - {"head"} == fields(About)


def test_the_reason_of_a_close_frame_is_as_it_is_shown():
    (shown,) = re.findall(r"reason is JSON: `(.*?)`", SERVER)
    assert fields(frames.CloseReason) == set(json.loads(shown))
    assert msgspec.json.decode(shown, type=frames.CloseReason).retry_after == 2.417


def close_codes(text: str, head: str) -> set[int]:
    rows = text.split(head, 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return {int(code) for row in rows for code in row.strip("| ").split(" | ")[0].split(", ")}


def test_the_table_of_close_codes_is_the_enum():
    here = close_codes(SERVER, "## Close codes\n\n| code | means | do |")
    assert here | {1000, 1002, CloseCode.NO_CODE} == set(CloseCode)  # goodbye; STOMP's; no code


def test_the_codes_with_a_time_to_come_back_are_named_with_it():
    (said,) = re.findall(r"With ([\d, and]+) the close frame's reason is JSON", SERVER)
    assert {int(code) for code in re.findall(r"\d+", said)} == set(COME_BACK)


def test_the_close_codes_of_stomp_are_of_the_enum():
    text = (Path(__file__).parents[3] / "docs" / "stomp.md").read_text()
    codes = {int(code) for code in re.findall(r"^\| (\d{4}) \|", text, re.M)}
    assert {1000, 1002} < codes <= set(CloseCode)


@pytest.mark.parametrize("folder", ["interfaces", "messaging", "chattalk", "faults"])
def test_nobody_writes_a_close_code_as_a_number(folder):
    codes = {code.value for code in CloseCode if code >= 1002}  # others are numbers of all kinds
    root = Path(__file__).parents[3]
    found = [
        f"{path.relative_to(root)}:{node.lineno}"
        for path in (root / folder).rglob("*.py")
        if path.name != "close_codes.py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and type(node.value) is int and node.value in codes
    ]
    assert found == []


async def test_the_answers_have_the_shapes_that_are_shown(room, alice, bob, charlie, monkeypatch):
    monkeypatch.setattr("messaging.live.connections.HEARTBEAT_SECONDS", 1)
    monkeypatch.setattr("messaging.live.activity.TOGETHER_SECONDS", 0.05)
    got = []
    async with socket(bob) as client:
        got.append(client.hello)
        await client.send("watch", rooms=[room.pk])
        got.append(await client.next("watching"))
        got.append(await client.subscribe(room))
        got.append(await client.next("presence"))
        got.append(await client.say(room, "hello"))
        got.append(await client.next("event"))
        await sync_to_async(services.join)(room.pk, charlie)
        got.append(await client.next("event"))
        got.append(await client.next("activity"))
        got.append(await client.next("heads"))
        got.append(await client.say(room, ""))
        await client.send("ping", ref="1")
        got.append(await client.next("pong"))
        await client.send("unsubscribe", room=room.pk)
        got.append(await client.next("unsubscribed"))
    shown = examples(SERVER)
    for frame in got:
        alike = [one for one in shown if _same_kind(one, frame)]
        assert shape(frame) in [shape(one) for one in alike], frame


def _same_kind(one: dict, other: dict) -> bool:
    return all(one.get(name) == other.get(name) for name in ("type", "kind", "code", "full"))


def test_every_code_of_a_refusal_is_in_the_document():
    folder = Path(__file__).parents[3]
    modules = (
        "core/text",
        "interfaces/socket/session",
        "messaging/live/drafts",
        "messaging/live/frames",
        "messaging/live/writer",
        "messaging/services/body_text",
        "messaging/services/members",
        "messaging/services/messages",
        "messaging/services/reads",
        "messaging/services/rooms",
        "rooms/services",
    )
    source = "".join((folder / f"{name}.py").read_text() for name in modules)
    codes = set(re.findall(r'code="([a-z_]+)"', source)) | set(
        re.findall(r'"(bad_text|not_member)"', source)
    )
    not_on_the_wire = {"room_full", "changed_meanwhile", "asked", "left"}
    assert codes - not_on_the_wire <= set(re.findall(r"`([a-z_]+)`", SERVER))
