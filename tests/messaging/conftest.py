"""The cast: alice opened the room, bob is a member, charlie must get nothing."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import pytest
import uvicorn
from django.db import connections

from accounts.models import User
from messaging import services
from messaging.live import node
from messaging.live.drafts import Draft
from messaging.live.writer import Writer
from messaging.log.event import Person
from rooms.models import Room
from tests.messaging.stores import addresses, bring_back, start
from tests.stack import Stack, lent


def pytest_asyncio_loop_factories(config, item):
    """uvicorn's two, where tests ask for them (served.BOTH_LOOPS)."""
    marks = item.iter_markers("asyncio")
    wanted = [mark.kwargs["loop_factories"] for mark in marks if "loop_factories" in mark.kwargs]
    names = wanted[0] if wanted else ["asyncio"]
    return {name: uvicorn.Config("", loop=name).get_loop_factory() for name in names}


@pytest.fixture
def people(transactional_db):
    names = ("alice", "bob", "charlie")
    return {
        name: User.objects.create_user(f"{name}@example.com", display_name=name.title())
        for name in names
    }


@pytest.fixture
def alice(people):
    return people["alice"]


@pytest.fixture
def bob(people):
    return people["bob"]


@pytest.fixture
def charlie(people):
    return people["charlie"]


@pytest.fixture
def room(alice, bob) -> Room:
    room = services.open_room(alice, title="Tea", capacity=10)
    services.join(room.pk, bob)
    return room


def person(user: User) -> Person:
    return Person(user.pk, user.display_name)


@pytest.fixture
async def writer():
    stored = []
    writer = Writer(stored.extend)
    writer.events = stored
    yield writer
    await writer.close()


def draft(room, user, body="hello", cid=None) -> Draft:
    return Draft(room.pk, person(user), cid or uuid4(), body)


async def stored_bodies(room):
    log = room.events.filter(kind="message").order_by("seq")
    return [each async for each in log.values_list("seq", "body")]


@pytest.fixture(autouse=True)
async def closed_node():
    """Each test has an event loop of its own, and so a node of its own."""
    yield
    await node.close()


@pytest.fixture
async def given_back():
    """Channels' communicators keep Django from giving connections back to the pool; so we do it,
    in the one thread in which sockets then look up tokens."""
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(1))
    yield
    await loop.run_in_executor(None, connections.close_all)


@pytest.fixture(scope="session")
def stores():
    """All three of our own, to do things to."""
    with TemporaryDirectory(prefix="chattalk-outage-") as data:
        found = start(Path(data))
        yield found
        for store in found.values():
            store.process.stop()


@pytest.fixture(scope="session")
def _fragile(stores, django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        stack = Stack(database="fragile", **addresses(stores))
        yield stack
        stack.close()


@pytest.fixture
def fragile(_fragile, stores, django_db_blocker):
    """Two processes on them. A test brings back what it kills; for one that failed it is done."""
    with lent(_fragile, django_db_blocker):
        yield _fragile
        bring_back(*(store for store in stores.values() if not store.process.running))
