"""Messages that are sent again: what the second statement is for, and how both are planned."""

import asyncio

import pytest
from asgiref.sync import sync_to_async
from django.core.exceptions import PermissionDenied, ValidationError

from core.postgresql.prepared import NAMED
from core.postgresql.reads import connect, run
from messaging import log, services
from messaging.live.writer import PLAN
from tests.messaging.conftest import draft, stored_bodies


@pytest.fixture
def statements(monkeypatch):
    """What writers ask the database."""
    asked = []

    async def noting(connection, sql, *rest):
        asked.append(sql)
        return await run(connection, sql, *rest)

    monkeypatch.setattr("messaging.live.writer.run", noting)
    return asked


async def test_one_repeat_among_new_ones_is_answered_and_the_others_are_stored_once(
    writer, room, alice, bob, statements
):
    before = draft(room, bob, "before")
    first = await writer.put(before)
    statements.clear()
    batch = [draft(room, alice, "one"), before, draft(room, bob, "two"), draft(room, alice, "3")]
    receipts = await asyncio.gather(*map(writer.put, batch))
    assert statements == [log.POST, log.POST_AGAIN]
    assert receipts[1] == first._replace(repeated=True)
    assert [(each.seq, each.repeated) for each in receipts] == [
        (4, False), (3, True), (5, False), (6, False),
    ]  # fmt: skip
    assert await stored_bodies(room) == [(3, "before"), (4, "one"), (5, "two"), (6, "3")]
    await asyncio.sleep(0)
    assert [event.seq for event in writer.events] == [3, 4, 5, 6]


async def test_an_id_with_another_text_among_new_ones_is_refused_alone(writer, room, alice, bob):
    before = draft(room, bob, "before")
    await writer.put(before)
    batch = [draft(room, alice, "one"), before._replace(body="other"), draft(room, bob, "two")]
    one, other, two = await asyncio.gather(*map(writer.put, batch), return_exceptions=True)
    assert (one.seq, two.seq) == (4, 5)
    assert isinstance(other, ValidationError) and other.code == "conflict"
    assert await stored_bodies(room) == [(3, "before"), (4, "one"), (5, "two")]


async def test_what_is_stored_decides_who_is_right_not_who_waits(writer, room, alice):
    before = draft(room, alice, "before")
    first = await writer.put(before)
    batch = [before._replace(body="other"), before, before._replace(body="third")]
    other, again, third = await asyncio.gather(*map(writer.put, batch), return_exceptions=True)
    assert again == first._replace(repeated=True)
    assert [other.code, third.code] == ["conflict", "conflict"]
    assert await stored_bodies(room) == [(first.seq, "before")]


async def test_the_same_id_of_another_person_is_another_message(writer, room, alice, bob):
    first = draft(room, bob, "mine")
    await writer.put(first)
    other = await writer.put(draft(room, alice, "not yours", first.client_id))
    assert (other.seq, other.repeated) == (4, False)


async def leave(room, alice, bob):
    await sync_to_async(services.leave)(room.pk, bob)


async def close(room, alice, bob):
    await sync_to_async(services.close_room)(room.pk, alice)


@pytest.mark.parametrize("end", [leave, close])
async def test_what_was_stored_is_answered_again_to_who_may_speak_no_more(
    writer, room, alice, bob, statements, end
):
    before = draft(room, bob, "before")
    first = await writer.put(before)
    await end(room, alice, bob)
    statements.clear()
    assert await writer.put(before) == first._replace(repeated=True)
    assert len(statements) in (2, 3)
    with pytest.raises(ValidationError) as refusal:
        await writer.put(before._replace(body="other"))
    assert refusal.value.code == "conflict"
    with pytest.raises((PermissionDenied, ValidationError)):
        await writer.put(draft(room, bob, "new"))
    assert await stored_bodies(room) == [(3, "before")]


async def test_a_repeat_while_others_of_its_batch_are_judged_again_is_answered(
    writer, room, alice, bob, monkeypatch
):
    """bob's is stored and answered, one in a closed room is looked at once more: then bob's comes
    again."""
    closed = await sync_to_async(services.open_room)(alice, title="Closed", capacity=2)
    await sync_to_async(services.close_room)(closed.pk, alice)
    said, again = draft(room, bob), []

    async def repeating(connection, sql, *rest):
        if sql == log.POST_AGAIN and not again:
            again.append(writer.put(said))
        return await run(connection, sql, *rest)

    monkeypatch.setattr("messaging.live.writer.run", repeating)
    first, _refused = await asyncio.gather(
        writer.put(said), writer.put(draft(closed, alice)), return_exceptions=True
    )
    async with asyncio.timeout(10):
        assert await again[0] == first._replace(repeated=True)


async def test_what_was_given_up_and_comes_again_while_others_are_stored_is_answered(
    writer, room, alice, bob, monkeypatch
):
    """Another holds alice's and bob's room; the message for a free one is stored meanwhile."""
    free = await sync_to_async(services.open_room)(alice, title="Free", capacity=2)
    said, again = draft(room, bob), []

    async def repeating(connection, sql, *rest):
        if sql == log.POST and refused.done() and not again:
            again.append(writer.put(said))
        return await run(connection, sql, *rest)

    monkeypatch.setattr("messaging.live.writer.run", repeating)
    async with await connect() as holder, holder.transaction():
        await holder.execute("SELECT 1 FROM rooms_room WHERE id = %s FOR UPDATE", [room.pk])
        refused = writer.put(said)
        await writer.put(draft(free, alice))
    assert refused.exception().code == "unavailable"
    async with asyncio.timeout(10):
        assert (await again[0]).seq == 3


async def _said(writer, room, closed, alice, bob, charlie):
    """What each of a batch with everything in it was answered."""
    before = draft(room, bob, "before")
    await writer.put(before)
    nowhere = draft(room, alice)._replace(room_id=closed.pk + 1000)
    batch = [
        draft(room, alice, "1"), before, draft(room, charlie), draft(closed, alice), nowhere,
        before._replace(body="other"), draft(room, bob, "2"), draft(closed, charlie),
    ]  # fmt: skip
    answers = await asyncio.gather(*map(writer.put, batch), return_exceptions=True)
    return [
        getattr(each, "code", type(each).__name__)
        if isinstance(each, Exception)
        else (each.seq, each.repeated)
        for each in answers
    ]


@pytest.mark.parametrize("judge_seconds", [0, 1e9])
async def test_what_is_wrong_is_answered_the_same_whichever_statement_it_came_to(
    writer, room, alice, bob, charlie, monkeypatch, statements, judge_seconds
):
    monkeypatch.setattr("messaging.live.writer.JUDGE_SECONDS", judge_seconds)
    closed = await sync_to_async(services.open_room)(alice, title="Closed", capacity=2)
    await sync_to_async(services.close_room)(closed.pk, alice)
    if judge_seconds:
        with pytest.raises(PermissionDenied):
            await writer.put(draft(room, charlie))
    statements.clear()
    assert await _said(writer, room, closed, alice, bob, charlie) == [
        (4, False), (3, True), "NotMember", "room_closed", "NotMember",
        "conflict", (5, False), "NotMember",
    ]  # fmt: skip
    assert (log.POST in statements) == (not judge_seconds)
    assert await stored_bodies(room) == [(3, "before"), (4, "1"), (5, "2")]


@pytest.mark.parametrize("statement", [log.POST, log.POST_AGAIN])
async def test_no_table_is_read_whole_and_rooms_are_locked_in_the_order_of_ids(
    room, alice, statement
):
    """The plan is kept, and the tables grow."""
    names = list(dict.fromkeys(NAMED.findall(statement)))
    values = log.post_params([draft(room, alice)])
    args = ", ".join(f"'{values[name]}'" for name in names)
    numbered = statement % {name: f"${number}" for number, name in enumerate(names, 1)}
    async with await connect(PLAN) as connection:
        await connection.execute(f"PREPARE post AS {numbered}")
        rows = await connection.execute(f"EXPLAIN EXECUTE post({args})")
        plan = "\n".join([line async for (line,) in rows])
    scans = plan.count("Index Scan")
    assert scans and "Seq Scan" not in plan and "Bitmap" not in plan, plan
    assert plan.count("Index Cond") == scans, plan  # none goes through its whole index
    assert "Index Scan using rooms_room_pkey" in plan, plan
