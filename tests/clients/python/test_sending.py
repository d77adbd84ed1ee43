"""What becomes of a message that is sent: stored once and acknowledged, or refused and said so."""

import asyncio
from uuid import uuid4

import pytest
from chattalk_client import Closed, Refused
from chattalk_client.outbox import UNDER_WAY_MAX
from django.conf import settings

from tests.clients.python.conftest import bodies, signed_in, two


async def test_a_refusal_reaches_who_sent_it(fast):
    async with two(fast) as (alice, bob):
        with pytest.raises(Refused) as refused:
            await alice.send("  ")
        assert (refused.value.code, refused.value.retry_after) == ("blank", None)
        assert refused.value.sentence == "Write something first."
        assert not refused.value.is_passing
        with pytest.raises(Refused, match="too_long"):
            await alice.send("x" * 4_001)
        with pytest.raises(Refused, match="too_long"):  # it would cost the connection
            await alice.send("x" * 100_000)
        with pytest.raises(Refused, match="bad_text"):
            await alice.send("half of a pair: \ud800")
        await alice.send("as it should be")
        assert await bodies(bob, 1) == ["as it should be"]


async def test_who_has_no_seat_is_told_so(fast):
    async with signed_in(fast, "Alice") as alice, signed_in(fast, "Charlie", 1) as charlie:
        card = await alice.open("Tea")
        with pytest.raises(Refused, match="not_member"):
            await charlie.enter(card.id)
        await charlie.join(card.id)
        room = await charlie.enter(card.id)
        await charlie.leave(card.id)
        with pytest.raises(Refused, match="not_member"):
            await room.send("still here?")
        assert [event.kind async for event in room.events()] == ["leave"]
        assert room.ended == "left"


async def test_the_same_cid_is_the_same_message(fast):
    async with two(fast) as (alice, bob):
        cid = uuid4()
        first = await alice.send("once", cid=cid)
        again = await alice.send("once", cid=str(cid).upper())
        assert (first.seq, first.cid, first.repeated) == (again.seq, again.cid, False)
        assert again.repeated
        with pytest.raises(Refused, match="conflict"):
            await alice.send("another", cid=cid)
        with pytest.raises(ValueError, match="hexadecimal"):
            await alice.send("hello", cid="the first")
        await alice.send("done")
        assert await bodies(bob, 2) == ["once", "done"]


async def test_who_is_too_fast_is_told_when_or_waits_if_asked_to(stack):
    async with two(stack) as (alice, bob):
        sent = [f"{number}" for number in range(settings.MESSAGE_BURST)]
        for text in sent:
            await alice.send(text)
        with pytest.raises(Refused) as refused:
            for number in range(len(sent)):
                await alice.send(f"too fast {number}")
                sent.append(f"too fast {number}")
        assert refused.value.code == "rate_limited"
        assert 0 < refused.value.retry_after < 5
        assert refused.value.is_passing
        for number in range(3):
            await alice.send(f"patient {number}", patient=True)
            sent.append(f"patient {number}")
        assert await bodies(bob, len(sent)) == sent


async def test_many_at_once_are_stored_in_order_a_bounded_number_under_way(fast):
    async with two(fast) as (alice, bob):
        texts = [f"{number}" for number in range(4 * UNDER_WAY_MAX)]
        sending = [asyncio.create_task(alice.send(text)) for text in texts]
        await asyncio.sleep(0)
        assert len(alice._outbox._waiting) == UNDER_WAY_MAX
        await asyncio.gather(*sending)
        assert await bodies(bob, len(texts)) == texts


async def test_who_gives_up_waiting_leaves_nothing_behind_and_may_send_it_again(fast):
    async with two(fast) as (alice, bob):
        cid = uuid4()
        fast.stop(0)  # its worker stands still
        sending = asyncio.create_task(alice.send("hello", cid=cid))
        async with asyncio.timeout(10):
            while not alice._outbox._waiting:
                await asyncio.sleep(0.01)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        assert alice._outbox._waiting == {}
        fast.cont(0)
        await alice.send("hello", cid=cid)
        await alice.send("done")
        assert await bodies(bob, 2) == ["hello", "done"]


async def test_who_waits_is_told_when_the_client_is_closed(fast):
    async with signed_in(fast, "Alice") as alice:
        card = await alice.open("Tea")
        room = await alice.enter(card.id)
        assert (await anext(room.hints())).here == (alice.me,)
        fast.stop(0)
        waiting = [room.send("hello"), anext(room.events()), anext(room.hints())]
        tasks = [asyncio.create_task(each) for each in waiting]
        await asyncio.sleep(0.1)
        await alice.close()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(each) for each in found] == [Closed] * 3
        with pytest.raises(Closed):
            await room.send("too late")
        with pytest.raises(Closed):
            await alice.call("GET", "me/")
