"""Two real workers for the client of Python, and people who use it there."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from chattalk_client import ChatTalk, Message, Room

from tests.doors.clients import PASSWORD, SECONDS, sign_up
from tests.stack import Stack

WITHIN = 100.0  # seconds that a busy machine may take
MANY = {"MESSAGE_RATE": "1000000", "MESSAGE_BURST": "1000000", "API_RATE": "1000000"}


@pytest.fixture(scope="session")
def _fast(django_db_setup: None, django_db_blocker: Any) -> Iterator[Stack]:
    with django_db_blocker.unblock():
        stack = Stack(2, "clients", **MANY)
        yield stack
        stack.close()


@pytest.fixture
def fast(_fast: Stack, django_db_blocker: Any) -> Iterator[Stack]:
    """Two workers where hundreds of messages may be said at once."""
    with django_db_blocker.unblock(), _fast.in_use():
        yield _fast
        _fast.mend()
    print(_fast.said())  # pytest shows it when the test fails


@pytest.fixture(autouse=True)
async def no_task_is_left() -> AsyncIterator[None]:
    """By a client that was closed."""
    yield
    assert asyncio.all_tasks() == {asyncio.current_task()}


@asynccontextmanager
async def signed_in(stack: Stack, name: str, first: int = 0) -> AsyncIterator[ChatTalk]:
    """A new person, who turns to the worker of that number first."""
    email = await signed_up(stack, name)
    async with asyncio.timeout(WITHIN):
        urls = stack.urls[first:] + stack.urls[:first]
        async with ChatTalk(urls, email=email, password=PASSWORD) as chat:
            yield chat


async def signed_up(stack: Stack, name: str) -> str:
    email, _rest = await asyncio.to_thread(sign_up, stack.urls[0], name)
    return email


@asynccontextmanager
async def two(stack: Stack) -> AsyncIterator[tuple[Room, Room]]:
    """Alice and Bob in a room of hers, each at a worker of their own."""
    async with signed_in(stack, "Alice") as alice, signed_in(stack, "Bob", 1) as bob:
        card = await alice.open("Tea")
        await bob.join(card.id)
        yield await alice.enter(card.id), await bob.enter(card.id)


async def bodies(room: Room, count: int) -> list[str]:
    """Of the next so many messages."""
    found: list[str] = []
    async for event in room.events():
        if isinstance(event, Message):
            found.append(event.body)
        if len(found) == count:
            break
    return found


async def told(done: Callable[[], bool], what: str) -> None:
    """Wait for what the client is told and nobody iterates over."""
    end = asyncio.get_running_loop().time() + SECONDS
    while not done():
        assert asyncio.get_running_loop().time() < end, what
        await asyncio.sleep(0.01)
