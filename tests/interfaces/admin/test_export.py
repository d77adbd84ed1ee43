"""A log as a file: whole, streamed, harmless in a spreadsheet, and on the trail."""

import csv
import io
import json

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient

from messaging import log, services
from messaging.live import node
from messaging.services import export
from tests.interfaces.admin.conftest import BACKEND, history_of, signed_in


@pytest.fixture(autouse=True)
async def closed_node():
    yield
    await node.close()


@pytest.fixture
def said(transactional_db, alice, bob, room):
    from django.db import transaction

    with transaction.atomic():
        for body in ("hello", "=1+1", "＝cmd", "안녕\n두 줄", 'comma, and "quotes"'):
            log.append(room.pk, "message", [bob.pk], body)
    return room


async def exported(user, room, shape):
    client = AsyncClient()
    await client.aforce_login(user, backend=BACKEND)
    url = f"/admin/rooms/room/{room.pk}/export/"
    answer = await client.post(url, {"shape": shape})
    assert answer.status_code == 200 and answer.streaming
    assert f'filename="room-{room.pk}.{shape}"' in answer["Content-Disposition"]
    return b"".join([part async for part in answer.streaming_content]).decode()


async def test_json_is_exact(sam, said):
    found = json.loads(await exported(sam, said, "json"))
    assert found["head"] == 7 and [line["seq"] for line in found["events"]] == list(range(1, 8))
    assert [line["body"] for line in found["events"][2:4]] == ["hello", "=1+1"]
    trail = await sync_to_async(history_of)(await sync_to_async(signed_in)(sam), said)
    assert trail == ["exported the log up to line 7 as json"]


async def test_csv_holds_no_formula(sam, said):
    text = await exported(sam, said, "csv")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert text.startswith('\ufeff"seq","at","kind","person","name","body"\r\n"1",')
    bodies = [row["body"] for row in rows]
    assert bodies[2:5] == ["hello", "'=1+1", "'＝cmd"]
    assert bodies[5:] == ["안녕\n두 줄", 'comma, and "quotes"']
    assert text.startswith("\ufeff")


async def test_a_long_log_comes_a_page_at_a_time(sam, said, bob, monkeypatch):
    monkeypatch.setattr(export, "PAGE", 3)
    parts = [part async for part in export.SHAPES["json"].stream(said.pk, 7)]
    assert len(parts) == 2 + 3
    assert len(json.loads("".join(parts))["events"]) == 7


async def test_what_is_said_after_it_was_asked_for_is_not_in_it(sam, said):
    head = await sync_to_async(services.export_log)(said.pk, sam, "json")
    await sync_to_async(services.close_room)(said.pk, sam)
    parts = [part async for part in export.SHAPES["json"].stream(said.pk, head)]
    assert json.loads("".join(parts))["events"][-1]["seq"] == head


def test_only_known_shapes_are_given(sam, room):
    answer = signed_in(sam).post(f"/admin/rooms/room/{room.pk}/export/", {"shape": "exe"})
    assert answer.status_code == 200 and not answer.streaming


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\t=1", "＋1"])
def test_a_formula_is_text(text):
    assert export.harmless(text) == "'" + text
