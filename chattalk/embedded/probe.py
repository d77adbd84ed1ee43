"""Does a server answer? One question for each kind, asked of embedded and of given ones alike."""

import time
from collections.abc import Callable, Mapping

from core.redis import checking

from . import address
from .process import TELL_EVERY, StartFailed, quiet

NAMES = ("DATABASE_URL", "REDIS_URL", "MONGODB_URL")
WAIT_SECONDS = 4  # for a given server
ASK_EVERY = 0.25  # seconds, while one is just starting
ENCODING = "UTF8"  # another one has no place for Hangul, or counts bytes for characters


def given(environment: Mapping[str, str]) -> dict[str, str]:
    """The addresses that somebody set: those servers are theirs to run."""
    return {name: environment[name] for name in NAMES if environment.get(name)}


def expect_answer(name: str, url: str, show: Callable[[str], None] = quiet) -> None:
    """A server that says itself that it is just starting is waited for, as long as it takes."""
    told_at = float("-inf")
    error, is_starting = _ask(name, url)
    while is_starting:
        if time.monotonic() - told_at >= TELL_EVERY:
            told_at = time.monotonic()
            show(f"{name}: {' '.join(error.split())}; it is waited for")
        time.sleep(ASK_EVERY)
        error, is_starting = _ask(name, url)
    if error:
        raise _refusal(name, url, error)
    if name == "DATABASE_URL" and (encoding := _encoding(url)) != ENCODING:
        raise StartFailed(
            f"{name}: the database keeps its texts in {encoding}, which can't keep all that people "
            "write. Make one in UTF-8 (createdb --encoding=UTF8 --template=template0 …) and give "
            "its address."
        )


def _refusal(name: str, url: str, error: str) -> StartFailed:
    or_ours = f"or unset {name} to use the one that comes with ChatTalk."
    if error.startswith(checking.MISTAKEN):
        return StartFailed(
            f"{name}: {address.hidden(url)} does not fit what is there: {error}. Correct the "
            f"address, {or_ours}"
        )
    return StartFailed(
        f"{name}: no answer from {address.hidden(url)} ({' '.join(error.split())}). Start that "
        f"server, correct the address, {or_ours}"
    )


def _ask(name: str, url: str) -> tuple[str, bool]:
    """What went wrong, and whether that is because it is just starting, as it says itself."""
    # The first question, not the second: it may open between the two.
    opens = name == "DATABASE_URL" and is_open(url) is False
    error = {"DATABASE_URL": postgres, "REDIS_URL": redis, "MONGODB_URL": mongodb}[name](url)
    loads = name == "REDIS_URL" and "loading the dataset" in error
    return error, bool(error) and (opens or loads)


def is_open(url: str, seconds: float = WAIT_SECONDS) -> bool | None:
    """Whether PostgreSQL serves. False: it is there, and recovers or begins (SQLSTATE 57P03).
    None: it gives no answer."""
    from psycopg import ProgrammingError
    from psycopg.conninfo import make_conninfo
    from psycopg.pq import PGconn, Ping

    try:
        asked = make_conninfo(url, connect_timeout=round(seconds))
    except ProgrammingError:  # no address, as `postgres` has said
        return None
    return {Ping.OK: True, Ping.REJECT: False}.get(Ping(PGconn.ping(asked.encode())))


def postgres(url: str, seconds: float = WAIT_SECONDS) -> str:
    """What went wrong; nothing if it answers. So the other two."""
    import psycopg

    try:
        with psycopg.connect(url, connect_timeout=round(seconds)):
            return ""
    except psycopg.Error as error:
        return str(error)


def _encoding(url: str) -> str:
    import psycopg

    with psycopg.connect(url, connect_timeout=WAIT_SECONDS) as database:
        return database.info.parameter_status("server_encoding") or ""


def redis(url: str, seconds: float = WAIT_SECONDS) -> str:
    return checking.wrong(url, seconds)


def mongodb(url: str, seconds: float = WAIT_SECONDS) -> str:
    from pymongo import MongoClient
    from pymongo.errors import PyMongoError

    try:
        client: MongoClient = MongoClient(url, serverSelectionTimeoutMS=seconds * 1000)
        with client:
            client.admin.command("ping")
            return ""
    except PyMongoError as error:
        return str(error).partition(", Timeout:")[0]
