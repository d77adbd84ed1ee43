import asyncio
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.core.exceptions import PermissionDenied, ValidationError

from messaging import queries, services
from messaging.database import connect, run
from messaging.models import Event
from messaging.writer import PLAN, Draft, Writer
from rooms.models import Room
from tests.messaging.conftest import person


@pytest.fixture
async def writer():
    stored = []
    writer = Writer(stored.extend)
    writer.events = stored
    yield writer
    await writer.close()


def draft(room, user, body="hello", cid=None):
    return Draft(room.pk, person(user), cid or uuid4(), body)


async def log_of(room):
    return [seq async for seq in room.events.order_by("seq").values_list("seq", flat=True)]


async def test_a_message_continues_the_log_of_its_room(writer, room, bob):
    receipt = await writer.put(draft(room, bob))
    await asyncio.sleep(0)  # the answer comes first, then the events
    assert receipt.seq == 3  # after alice's and bob's entering
    assert [event.seq for event in writer.events] == [3]
    stored = await Event.objects.aget(room=room, seq=3)
    assert (stored.body, stored.sender_id, stored.created_at) == ("hello", bob.pk, receipt.at)


async def test_many_at_once_are_stored_together_without_holes_in_order(writer, room, alice, bob):
    drafts = [draft(room, (alice, bob)[i % 2], f"{i}") for i in range(300)]
    receipts = await asyncio.gather(*map(writer.put, drafts))
    assert [receipt.seq for receipt in receipts] == list(range(3, 303))
    assert await log_of(room) == list(range(1, 303))
    assert [event.body for event in writer.events] == [str(i) for i in range(300)]


async def test_two_writers_share_a_log_without_holes_or_twins(room, alice, bob):
    writers = [Writer(lambda events: None) for _ in range(2)]
    drafts = [draft(room, alice, f"{i}") for i in range(100)]
    # Each message is sent through both at once, as by a client that lost its first socket.
    both = [writer.put(each) for each in drafts for writer in writers]
    receipts = await asyncio.gather(*both)
    await asyncio.gather(*(writer.close() for writer in writers))
    for first, second in zip(receipts[::2], receipts[1::2], strict=True):
        assert (first.seq, first.at) == (second.seq, second.at)
    assert await log_of(room) == list(range(1, 103))


async def test_sending_again_gives_the_same_answer(writer, room, bob):
    same = draft(room, bob)
    first, twin = await asyncio.gather(writer.put(same), writer.put(same))
    later = await writer.put(same)
    assert (first.seq, first.repeated) == (3, False)
    assert twin == later == first._replace(repeated=True)
    assert await log_of(room) == [1, 2, 3]


async def test_the_same_id_with_another_text_is_refused(writer, room, bob):
    same = draft(room, bob)
    await writer.put(same)
    for _ in range(2):
        with pytest.raises(ValidationError) as refusal:
            await writer.put(same._replace(body="other"))
        assert refusal.value.code == "conflict"
    assert (await Event.objects.aget(room=room, seq=3)).body == "hello"


async def test_one_batch_answers_each_for_itself(writer, room, alice, bob, charlie):
    kept, refused, also_kept = await asyncio.gather(
        writer.put(draft(room, alice)),
        writer.put(draft(room, charlie)),
        writer.put(draft(room, bob)),
        return_exceptions=True,
    )
    assert (kept.seq, also_kept.seq) == (3, 4)
    assert isinstance(refused, PermissionDenied)


async def test_a_room_that_is_not_there_is_as_one_without_a_seat(writer, room, alice):
    with pytest.raises(PermissionDenied):
        await writer.put(Draft(room.pk + 1000, person(alice), uuid4(), "hello"))


async def test_nobody_speaks_in_a_closed_room(writer, room, alice, bob):
    await sync_to_async(services.close_room)(room.pk, alice)
    with pytest.raises(ValidationError) as refusal:
        await writer.put(draft(room, bob))
    assert refusal.value.code == "room_closed"


async def test_who_left_speaks_no_more(writer, room, bob):
    await sync_to_async(services.leave)(room.pk, bob)
    with pytest.raises(PermissionDenied):
        await writer.put(draft(room, bob))


async def test_time_never_runs_backwards_in_a_room(writer, room, alice):
    from datetime import timedelta

    from django.utils import timezone

    ahead = timezone.now() + timedelta(hours=2)  # as if the database's clock was set back
    await Room.objects.filter(pk=room.pk).aupdate(last_event_at=ahead)
    assert (await writer.put(draft(room, alice))).at == ahead


async def test_a_broken_connection_is_replaced_and_nothing_is_lost_or_doubled(writer, room, alice):
    await writer.put(draft(room, alice))
    pid = writer._connection.info.backend_pid

    def kill():
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 1000)", [pid])

    await sync_to_async(kill)()
    receipts = await asyncio.gather(*(writer.put(draft(room, alice)) for _ in range(20)))
    assert [receipt.seq for receipt in receipts] == list(range(4, 24))


async def test_a_database_that_does_not_answer_is_told_in_time(writer, room, alice, bob):
    from django.db import connection, transaction

    from rooms.services import locked

    hold, held = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def hold_the_room():
        with transaction.atomic():
            locked(room.pk)
            loop.call_soon_threadsafe(held.set)
            asyncio.run_coroutine_threadsafe(hold.wait(), loop).result()
        connection.close()

    holding = asyncio.create_task(asyncio.to_thread(hold_the_room))
    await held.wait()
    waiting = draft(room, alice)
    with pytest.raises(ValidationError) as refusal:
        await writer.put(waiting)
    assert refusal.value.code == "unavailable"
    hold.set()
    await holding
    assert (await writer.put(waiting)).seq == 3  # the same again, and it is stored once


# --- what is sent again ---------------------------------------------------------------------------


@pytest.fixture
def statements(monkeypatch):
    """What writers ask the database."""
    asked = []

    async def noting(connection, sql, *rest):
        asked.append(sql)
        return await run(connection, sql, *rest)

    monkeypatch.setattr("messaging.writer.run", noting)
    return asked


async def stored_bodies(room):
    log = room.events.filter(kind="message").order_by("seq")
    return [each async for each in log.values_list("seq", "body")]


async def test_one_repeat_among_new_ones_is_answered_and_the_others_are_stored_once(
    writer, room, alice, bob, statements
):
    before = draft(room, bob, "before")
    first = await writer.put(before)
    statements.clear()
    batch = [draft(room, alice, "one"), before, draft(room, bob, "two"), draft(room, alice, "3")]
    receipts = await asyncio.gather(*map(writer.put, batch))
    assert statements == [queries.POST, queries.POST_AGAIN]
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
    writer, room, bob, charlie, monkeypatch
):
    """bob's is stored and answered, charlie's is looked at once more: then bob's comes again."""
    said, again = draft(room, bob), []

    async def repeating(connection, sql, *rest):
        if sql == queries.POST_AGAIN and not again:
            again.append(writer.put(said))
        return await run(connection, sql, *rest)

    monkeypatch.setattr("messaging.writer.run", repeating)
    first, _refused = await asyncio.gather(
        writer.put(said), writer.put(draft(room, charlie)), return_exceptions=True
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
        if sql == queries.POST and refused.done() and not again:
            again.append(writer.put(said))
        return await run(connection, sql, *rest)

    monkeypatch.setattr("messaging.writer.run", repeating)
    async with await connect() as holder, holder.transaction():
        await holder.execute("SELECT 1 FROM rooms_room WHERE id = %s FOR UPDATE", [room.pk])
        refused = writer.put(said)
        await writer.put(draft(free, alice))
    assert refused.exception().code == "unavailable"
    async with asyncio.timeout(10):
        assert (await again[0]).seq == 3


@pytest.mark.parametrize("statement", [queries.POST, queries.POST_AGAIN])
async def test_no_table_is_read_whole_even_while_it_is_small(room, alice, statement):
    """The plan is kept, and the tables grow."""
    names = {"rooms": "$1", "senders": "$2", "cids": "$3", "bodies": "$4"}
    values = queries.post_params([draft(room, alice)])
    args = ", ".join(f"'{values[name]}'" for name in names)
    async with await connect(PLAN) as connection:
        await connection.execute(f"PREPARE post AS {statement % names}")
        rows = await run(connection, f"EXPLAIN EXECUTE post({args})", {})
    plan = "\n".join(line for (line,) in rows)
    assert "Seq Scan" not in plan and "Index" in plan, plan
