"""Three people with the client of Python, two workers, and what becomes of what they say when one
of these is killed or restarted: nothing lost, nothing twice, all in order at everybody."""

import asyncio
from collections.abc import Callable
from functools import partial

import pytest
from chattalk_client import ChatTalk, Message, Presence, Room

from tests.clients.python.conftest import bodies, signed_in, two

EACH = 200  # messages of a member
WINDOW = 8  # of these, waiting for their answer


async def test_a_message_crosses_processes(stack):
    async with two(stack) as (alice, bob):
        receipt = await alice.send("hello")
        event = await anext(bob.events())
        assert isinstance(event, Message)
        assert (event.body, event.seq, event.at) == ("hello", receipt.seq, receipt.at)
        assert (event.sender.name, event.cid) == ("Alice", receipt.cid)
        assert await anext(alice.events()) == event


async def test_who_is_here_and_who_types_crosses_processes(stack):
    async with two(stack) as (alice, bob):
        while {person.name for person in alice.here} != {"Alice", "Bob"}:
            await anext(alice.hints())
        await bob.typing()
        while isinstance(hint := await anext(alice.hints()), Presence):
            pass
        assert hint.person.name == "Bob"
        await bob.exit()
        while alice.count > 1:
            await anext(alice.hints())
        assert [person.name for person in alice.here] == ["Alice"]


class Crowd:
    """Members who talk, each as fast as the answers come, and keep what they hear."""

    def __init__(self, chats: list[ChatTalk], rooms: list[Room]) -> None:
        self.chats, self.rooms = chats, rooms
        self.said = {f"{number} says {n}" for number in range(len(rooms)) for n in range(EACH)}
        self.stored = asyncio.Semaphore(0)  # counts the answers

    async def run(self, goes: Callable[[], None], comes: Callable[[], None]) -> list[list[Message]]:
        """What each has heard, when all has been said; `goes` after a third of it, `comes` after
        another."""
        async with asyncio.TaskGroup() as tasks:
            heard = [tasks.create_task(self._hear(room)) for room in self.rooms]
            for number, room in enumerate(self.rooms):
                tasks.create_task(self._talk(number, room))
            await self._answers(EACH)
            await asyncio.to_thread(goes)
            await self._answers(EACH)
            comes()
        return [each.result() for each in heard]

    async def _answers(self, count: int) -> None:
        for _ in range(count):
            await self.stored.acquire()

    async def _talk(self, number: int, room: Room) -> None:
        window = asyncio.Semaphore(WINDOW)

        async def say(text: str) -> None:
            async with window:
                await room.send(text)
                self.stored.release()

        await asyncio.gather(*[say(f"{number} says {n}") for n in range(EACH)])

    async def _hear(self, room: Room) -> list[Message]:
        heard = []
        async for event in room.events():
            if isinstance(event, Message):
                heard.append(event)
                if len(heard) == len(self.said):
                    break
        return heard


@pytest.mark.parametrize("how", ["killed", "restarted"])
async def test_a_worker_goes_while_all_talk_and_nothing_is_lost_or_twice(fast, how):
    async with (
        signed_in(fast, "Alice") as alice,
        signed_in(fast, "Bob", 1) as bob,
        signed_in(fast, "Charlie") as charlie,
    ):
        chats = [alice, bob, charlie]
        card = await alice.open("Tea")
        for chat in chats:
            await chat.join(card.id)
        rooms = [await chat.enter(card.id) for chat in chats]
        first = rooms[-1].head + 1
        crowd = Crowd(chats, rooms)
        goes = fast.kill9 if how == "killed" else fast.terminate
        # It comes back in the main thread, for a worker does not outlive the thread it came by.
        heard = await crowd.run(partial(goes, 0), partial(fast.restart, 0))
        seqs = list(range(first, first + len(crowd.said)))
        assert [[event.seq for event in each] for each in heard] == [seqs] * 3
        assert heard[0] == heard[1] == heard[2]
        assert {event.body for event in heard[0]} == crowd.said
        assert len({event.cid for event in heard[0]}) == len(crowd.said)
        await rooms[0].send("and on it goes")
        assert await bodies(rooms[2], 1) == ["and on it goes"]
