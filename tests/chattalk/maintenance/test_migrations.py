"""People write while the database is brought up to date."""

import os
import subprocess
import sys
import threading

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.migrations.loader import MigrationLoader

from chattalk.maintenance import migrate, migrate_sql
from chattalk.server.workers import ROOT
from core.postgresql.breaker import knocking
from tests.chattalk.maintenance.blocking import blockers
from tests.stack import address_of

OURS = ("accounts", "rooms", "messaging", "presence", "chattalk")
# Known, and applied long ago: people are few, and a million of them are read in 0.1 s.
KNOWN = {"accounts.0003_user_sign_outs"}


def test_no_migration_keeps_people_from_writing(transactional_db):
    loader = MigrationLoader(connection, replace_migrations=False)
    found = {}
    for (app, name), migration in loader.disk_migrations.items():
        if app in OURS:
            statements = loader.collect_sql([loader_plan(loader, app, name)])
            found[f"{app}.{name}"] = blockers(statements, migration.atomic)
    assert len(found) >= 9
    assert {name for name, why in found.items() if why} == KNOWN, found


def loader_plan(loader, app, name):
    return loader.graph.nodes[app, name], False


NOT_NULL = "integer NOT NULL"


@pytest.mark.parametrize(
    ("statement", "atomic", "blocks"),
    [
        ('CREATE INDEX "x" ON "rooms_room" ("title");', True, True),
        ('CREATE UNIQUE INDEX "x" ON "rooms_room" ("title");', True, True),
        ('CREATE INDEX CONCURRENTLY "x" ON "rooms_room" ("title");', True, True),
        ('CREATE INDEX CONCURRENTLY "x" ON "rooms_room" ("title");', False, True),
        ('ALTER TABLE "rooms_room" ADD CONSTRAINT "x" CHECK ("a" > 0);', True, True),
        ('ALTER TABLE "rooms_room" ADD CONSTRAINT "x" CHECK ("a" > 0) NOT VALID;', True, False),
        ('ALTER TABLE "rooms_room" ADD CONSTRAINT "x" UNIQUE ("a");', True, True),
        ('ALTER TABLE "rooms_room" ADD CONSTRAINT "x" UNIQUE USING INDEX "y";', True, False),
        ('ALTER TABLE "rooms_room" VALIDATE CONSTRAINT "x";', True, False),
        ('ALTER TABLE "rooms_room" ALTER COLUMN "a" SET NOT NULL;', True, True),
        ('ALTER TABLE "rooms_room" ALTER COLUMN "a" TYPE bigint;', True, True),
        ('ALTER TABLE "rooms_room" ADD COLUMN "a" integer NULL;', True, False),
        (f'ALTER TABLE "rooms_room" ADD COLUMN "a" {NOT_NULL};', True, True),
        ('ALTER TABLE "rooms_room" ADD COLUMN "a" integer DEFAULT 0 NOT NULL;', True, False),
        ('ALTER TABLE "rooms_room" ADD COLUMN "a" integer DEFAULT 0 CHECK ("a" > 0);', True, True),
        ('ALTER TABLE "rooms_room" ADD COLUMN "a" uuid DEFAULT gen_random_uuid();', True, True),
        ('ALTER TABLE "rooms_room" DROP CONSTRAINT "x";', True, False),
        ("UPDATE rooms_room SET title = '';", True, True),
        ("-- THIS OPERATION CANNOT BE WRITTEN AS SQL", True, True),
        ("-- THIS OPERATION CANNOT BE WRITTEN AS SQL", False, False),
    ],
)
def test_what_would_block_is_recognised(statement, atomic, blocks):
    assert bool(blockers([statement], atomic)) == blocks
    fresh = ['CREATE TABLE "rooms_room" ("a" integer);', statement]
    assert not blockers(fresh, atomic) or statement.startswith("--")


def test_a_check_that_is_validated_under_its_lock_is_recognised():
    add = 'ALTER TABLE "rooms_room" ADD CONSTRAINT "x" CHECK ("a" > 0) NOT VALID;'
    validate = 'ALTER TABLE "rooms_room" VALIDATE CONSTRAINT "x";'
    assert blockers([add, validate], True) and not blockers([add, validate], False)


@pytest.fixture
def before(transactional_db):
    """As it was before rooms could be larger."""
    call_command("migrate", "rooms", "0001", verbosity=0)
    yield
    call_command("migrate", verbosity=0)


def test_it_lets_writers_through_while_a_table_is_in_use(before, monkeypatch, capsys):
    monkeypatch.setattr(migrate, "PAUSE_SECONDS", (0.05, 0.1))
    held, over = threading.Event(), threading.Event()

    def hold():
        with migrate.connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("LOCK TABLE rooms_room IN ACCESS SHARE MODE")  # as any reader does
            held.set()
            over.wait(10)
            cursor.execute("ROLLBACK")
        connection.close()

    (reader := threading.Thread(target=hold)).start()
    held.wait(10)
    threading.Timer(1.2, over.set).start()
    call_command("migrate", verbosity=0)
    reader.join()
    assert "trying again, so that nobody waits" in capsys.readouterr().out
    with connection.cursor() as cursor:
        cursor.execute("SELECT convalidated FROM pg_constraint WHERE conname = %s", [NAME])
        assert cursor.fetchone() == (True,)
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("10s",)  # pages have the usual patience again


NAME = "room_capacity_in_bounds"


def test_it_gives_up_in_the_end_and_says_why(transactional_db, monkeypatch):
    monkeypatch.setattr(migrate, "GIVE_UP_SECONDS", 0)

    def busy():
        with connection.cursor() as cursor:
            cursor.execute("DO $$ BEGIN RAISE SQLSTATE '55P03'; END $$")

    with pytest.raises(OperationalError):
        migrate.patiently(busy, lambda line: None)


OF_TIME = "indexrelid = 'event_by_time'::regclass"


def test_an_index_that_was_cut_off_is_made_anew(transactional_db):
    call_command("migrate", "messaging", "0002", verbosity=0)
    try:
        with connection.cursor() as cursor:
            cursor.execute("CREATE INDEX event_by_time ON messaging_event USING brin (created_at)")
            cursor.execute(f"UPDATE pg_index SET indisvalid = false WHERE {OF_TIME}")
    finally:
        call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT indisvalid FROM pg_index WHERE {OF_TIME}")
        assert cursor.fetchone() == (True,)


def test_the_index_on_time_asks_for_nothing_at_each_insert(db):
    """PostgreSQL keeps 256 such requests and logs each one more; autovacuum comes often instead."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reloptions FROM pg_class WHERE relname = 'event_by_time'")
        assert cursor.fetchone() == (["pages_per_range=32"],)
        cursor.execute("SELECT reloptions FROM pg_class WHERE relname = 'messaging_event'")
        (options,) = cursor.fetchone()
    assert "autovacuum_vacuum_insert_scale_factor=0" in options
    assert "autovacuum_vacuum_insert_threshold=50000" in options


@pytest.fixture
def empty(django_db_setup):
    """A database of its own without a table."""
    name = "two_hosts"
    with psycopg.connect(settings.DATABASE_URL, autocommit=True) as asked:
        asked.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        asked.execute(f"CREATE DATABASE {name}")
    yield address_of(name)


def migrating(address):
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    environment = {**os.environ, "DATABASE_URL": address}
    told = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(command, cwd=ROOT, env=environment, **told)


def test_two_hosts_that_start_at_once_on_an_empty_database_both_come_up(empty):
    both = [migrating(empty) for _ in range(2)]
    said = [one.communicate(timeout=120)[0] for one in both]
    assert [one.returncode for one in both] == [0, 0], said
    with psycopg.connect(empty) as asked:
        assert asked.execute("SELECT count(*) FROM rooms_room").fetchone() == (0,)


def test_who_comes_second_says_that_it_waits(empty):
    with psycopg.connect(empty) as first:
        first.execute(migrate_sql.ALONE)
        second = migrating(empty)
        assert "Another process migrates this database" in second.stdout.readline()
    assert second.communicate(timeout=120) and second.returncode == 0


def test_nobody_waits_for_another_one_for_ever(transactional_db, monkeypatch):
    monkeypatch.setattr(migrate, "GIVE_UP_SECONDS", 0.3)
    with psycopg.connect(**knocking()) as first:
        first.execute(migrate_sql.ALONE)
        with pytest.raises(OperationalError, match="another process"):
            call_command("migrate", verbosity=0)
