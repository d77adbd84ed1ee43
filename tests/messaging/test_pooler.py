"""All of ChatTalk behind PgBouncer, which hands out a connection for a transaction only."""

import asyncio
import os
import re
import subprocess
import sys

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from chattalk.embedded import StartFailed, shares
from chattalk.management.commands import serve
from chattalk.server.workers import ROOT
from core.postgresql import sessions
from tests import pgbouncer
from tests.raw_socket import SECONDS, frame, say, subscribe
from tests.stack import Stack, address_of, lent, open_room

DATABASE = "pooled"
END_OTHERS = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@pytest.fixture(scope="module")
def folder(django_db_setup):
    with pgbouncer.running(settings.DATABASE_URL) as folder:
        yield folder


@pytest.fixture(scope="module")
def pooler(folder):
    return pgbouncer.address(folder, DATABASE)


@pytest.fixture(scope="module")
def _site(pooler):
    environment = {
        "DATABASE_URL": pooler,
        "DATABASE_POOLER": "transaction",
        "DATABASE_DIRECT_URL": address_of(DATABASE),
        "MONGODB_URL": address_of(DATABASE, settings.MONGODB_URL),  # verify looks at all of it
    }
    stack = Stack(database=DATABASE, **environment)
    with psycopg.connect(address_of(DATABASE), autocommit=True) as direct:
        direct.execute(sessions.as_role(sessions.LIMITS | sessions.EXACT, "chattalk", DATABASE))
        direct.execute(END_OTHERS)  # which have begun without
    yield stack
    stack.close()


@pytest.fixture
def site(_site, django_db_blocker):
    with lent(_site, django_db_blocker):
        yield _site


async def test_people_talk_join_and_page_over_two_connections_of_the_server(site, folder):
    alice, bob, carol = await site.apeople("alice", "bob", "carol")
    room = await site.arun(open_room, alice, bob)
    async with site.socket(0, alice) as one, site.socket(1, bob) as other:
        await subscribe(one, room)
        await subscribe(other, room)
        for number in range(15):
            assert (await say(one, room, f"{number}"))["type"] == "ack"
        told = [(await frame(other, "event"))["body"] for _ in range(15)]
        assert told == [f"{number}" for number in range(15)]
    async with site.chat(1, carol) as chat:
        await asyncio.gather(*(chat.join(room) for _ in range(5)))
        entered = await chat.enter(room, after=0)
        page = await entered.history(limit=10)
        assert [line.seq for line in page.events] == list(range(page.head - 9, page.head + 1))
        crowd = (entered.send(f"at once {number}", patient=True) for number in range(20))
        assert len({one.seq for one in await asyncio.gather(*crowd)}) == 20
    await counted(room, 35)
    assert await asyncio.to_thread(pgbouncer.servers, folder) <= pgbouncer.SERVERS
    said = site.said()
    assert not re.search("ERROR|Traceback", said), said


async def counted(room, many):
    """The follower has come to the end of it."""
    asked = "SELECT coalesce(sum(messages), 0) FROM messaging_minutecount"
    async with asyncio.timeout(SECONDS):
        async with await psycopg.AsyncConnection.connect(address_of(DATABASE)) as direct:
            while (await (await direct.execute(asked)).fetchone())[0] < many:
                await direct.commit()
                await asyncio.sleep(0.1)


def test_a_statement_of_the_writer_has_its_settings_and_the_next_one_has_them_not(_site, pooler):
    with psycopg.connect(pooler, autocommit=True) as asked:
        (limit,) = asked.execute("SHOW lock_timeout").fetchone()
        (scan,) = asked.execute("SHOW enable_seqscan").fetchone()
    assert (limit, scan) == ("10s", "on")


def test_migrations_say_that_they_need_a_way_past_it(db, monkeypatch):
    monkeypatch.setattr(settings, "POOLED", True)
    with pytest.raises(CommandError, match="set DATABASE_DIRECT_URL to the address of PostgreSQL"):
        call_command("migrate")


@pytest.mark.parametrize("command", ["migrate", "verify"])
def test_commands_work_behind_it(_site, command):
    asked = [sys.executable, "manage.py", command]
    environment = {**os.environ, **_site.environment}
    done = subprocess.run(asked, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_behind_it_each_worker_has_as_many_as_it_likes(_site, pooler):
    assert shares.share(pooler, 64, is_pooled=True) == shares.AT_MOST


def test_a_pooler_of_which_nobody_told_is_told_of(_site, pooler):
    with pytest.raises(StartFailed, match="takes no settings .* Set DATABASE_POOLER=transaction"):
        shares.share(pooler, 1)


def test_a_worker_alone_tells_it_as_well(_site, pooler, monkeypatch):
    given = {"DATABASE_URL": pooler, "REDIS_URL": settings.REDIS_URL}
    for name, url in (given | {"MONGODB_URL": settings.MONGODB_URL}).items():
        monkeypatch.setenv(name, url)
    with pytest.raises(StartFailed, match="Set DATABASE_POOLER=transaction"):
        serve._expect_stores()


def test_so_is_one_that_ignores_the_settings(_site, django_db_setup):
    ignoring = {"ignore_startup_parameters": "options"}
    with pgbouncer.running(settings.DATABASE_URL, **ignoring) as folder:
        other = pgbouncer.address(folder, "postgres")
        with pytest.raises(StartFailed, match="ignores .* Set DATABASE_POOLER=transaction"):
            shares.share(other, 1)


def test_a_role_without_limits_is_told_what_to_say(_site, pooler):
    other = pooler.replace(f"/{DATABASE}?", "/postgres?")
    with pytest.raises(StartFailed) as refused:
        shares.share(other, 1, is_pooled=True)
    assert 'ALTER ROLE "chattalk" IN DATABASE "postgres" SET statement_timeout = \'15000\';' in str(
        refused.value
    )
