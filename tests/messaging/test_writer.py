import asyncio
import time
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connections

from messaging import services
from messaging.live import writer as writer_module
from messaging.live.drafts import Draft
from messaging.live.writer import Writer
from messaging.models import Event
from rooms.models import Room
from tests.messaging.conftest import draft, person, stored_bodies


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


async def test_a_text_is_stored_to_the_letter_whatever_it_looks_like(writer, room, bob):
    texts = [
        '"',
        "\\",
        '\\"',
        "{a,b}",
        "NULL",
        "",
        " ",
        "a\tb\nc",
        "한 🙂 é",
        "%(rooms)s $1 %s",
        "',",
    ]
    await asyncio.gather(*(writer.put(draft(room, bob, text)) for text in texts))
    assert [body for _, body in await stored_bodies(room)] == texts


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


async def test_the_log_says_why_nothing_was_stored_in_time(
    writer, room, alice, monkeypatch, caplog, tmp_path
):
    monkeypatch.setattr(writer_module, "DEADLINE_SECONDS", 0.3)
    monkeypatch.setitem(connections.databases["default"], "HOST", str(tmp_path))  # nobody listens
    with pytest.raises(ValidationError) as refusal:
        await writer.put(draft(room, alice))
    assert refusal.value.code == "unavailable"
    (said,) = [each for each in caplog.messages if "not stored" in each]
    assert said.startswith("1 messages not stored: no answer in time; ")
    assert str(tmp_path) in said, "which server, and what became of it"


@pytest.fixture
def slow(monkeypatch):
    """The database does what it is asked, and its answers take until this is set."""
    answers, run = asyncio.Event(), writer_module.run

    async def late(*args):
        rows = await run(*args)
        await answers.wait()
        return rows

    monkeypatch.setattr(writer_module, "run", late)
    monkeypatch.setattr(writer_module, "DEADLINE_SECONDS", 0.2)
    monkeypatch.setattr(writer_module, "LATE_SECONDS", 0.02)
    return answers


async def test_nobody_waits_for_longer_than_their_patience_in_a_batch_or_behind_it(
    writer, room, alice, bob, slow
):
    stuck, behind = draft(room, alice, "first"), draft(room, bob, "second")
    answers = [writer.put(stuck)]
    while not writer._under_way:  # a batch of its own
        await asyncio.sleep(0)
    answers += [writer.put(behind), writer.put(behind)]
    for refused in await asyncio.wait_for(asyncio.gather(*answers, return_exceptions=True), 2):
        assert refused.code == "unavailable"
    assert not slow.is_set() and writer._task is not None  # the batch still is

    slow.set()
    again, later = await asyncio.gather(writer.put(stuck), writer.put(behind))
    assert (again.seq, again.repeated) == (3, True)  # it was stored all the same
    assert (later.seq, later.repeated) == (4, False)
    await writer.idle()
    assert [event.body for event in writer.events] == ["first", "second"]


async def test_what_was_refused_for_the_time_it_took_may_be_said_again_meanwhile(
    writer, room, alice, slow
):
    stuck = draft(room, alice, "first")
    other = stuck._replace(body="another text under its id")
    with pytest.raises(ValidationError):
        await writer.put(stuck)
    again, rival = writer.put(stuck), writer.put(other)
    slow.set()
    assert ((await again).seq, (await again).repeated) == (3, True)
    with pytest.raises(ValidationError) as refusal:
        await rival
    assert refusal.value.code == "conflict"


async def test_what_is_late_when_its_process_goes_on_is_not_stored_any_more(
    writer, room, alice, bob, monkeypatch
):
    monkeypatch.setattr(writer_module, "DEADLINE_SECONDS", 0.05)
    still, fresh = draft(room, alice, "from before"), draft(room, bob, "from after")
    answers = [writer.put(still)]
    time.sleep(0.1)  # the process stands still, and nothing in it goes on
    monkeypatch.setattr(writer_module, "DEADLINE_SECONDS", 2.5)
    answers.append(writer.put(fresh))
    refused, receipt = await asyncio.gather(*answers, return_exceptions=True)
    assert (refused.code, receipt.seq) == ("unavailable", 3)
    assert [body for _, body in await stored_bodies(room)] == ["from after"]
    again = await writer.put(still)
    assert (again.seq, again.repeated) == (4, False)


async def test_where_all_are_late_nothing_is_written(writer, room, alice, monkeypatch):
    monkeypatch.setattr(writer_module, "DEADLINE_SECONDS", 0.05)
    answer = writer.put(draft(room, alice))
    time.sleep(0.1)
    await writer.idle()
    assert answer.exception().code == "unavailable"
    assert writer._connection is None
