"""A primary and a standby that follows it, at one address: PostgreSQL's own tools, as an operator
uses them."""

import time
from pathlib import Path

import psycopg

from chattalk.embedded import data_dir
from chattalk.embedded.postgres import Postgres
from faults.replicated import follow, make_folders

WITHIN = 10.0  # seconds
SAME = "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn"


def made(data: Path) -> Postgres:
    """A server in that folder, not started yet."""
    make_folders(data)
    return Postgres(data, durable=False)


def standby_of(primary: str, data: Path) -> Postgres:
    """A copy of the server at that address, which follows it from here on, started."""
    standby = made(data)
    follow(primary, standby)
    return standby


def both(primary: Postgres, standby: Postgres, database: str = data_dir.OWNER) -> str:
    """The address of whichever of them takes what is written."""
    hosts = f"{primary.sockets},{standby.sockets}"
    user = data_dir.OWNER
    return f"postgresql://{user}@/{database}?host={hosts}&target_session_attrs=read-write"


def ask(server: Postgres | str, sql: str, *params: object) -> list[tuple]:
    url = server if isinstance(server, str) else server.url("postgres")
    with psycopg.connect(url, autocommit=True) as asked:
        cursor = asked.execute(sql, params or None)
        return cursor.fetchall() if cursor.description else []


def caught_up(primary: Postgres | str, standby: Postgres) -> None:
    """Wait until the standby has all that the primary has. The primary writes one word more: where
    it has just turned to a new file, its end is one that nobody reaches before it writes there."""
    ((end,),) = ask(primary, "SELECT pg_logical_emit_message(false, 'tests', 'the end', true)")
    _until(lambda: ask(standby, SAME, end) == [(True,)], "the standby did not catch up")


def held_back(standby: Postgres) -> None:
    """From here on it gets nothing more."""
    ask(standby, "ALTER SYSTEM SET primary_conninfo = ''")
    ask(standby, "SELECT pg_reload_conf()")
    receiving = "SELECT count(*) FROM pg_stat_wal_receiver"
    _until(lambda: ask(standby, receiving) == [(0,)], "the standby still receives")


def promoted(standby: Postgres) -> None:
    assert ask(standby, "SELECT pg_promote()") == [(True,)]


def _until(is_so, else_say: str) -> None:
    end = time.monotonic() + WITHIN
    while not is_so():
        assert time.monotonic() < end, else_say
        time.sleep(0.05)
