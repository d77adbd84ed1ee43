"""Does a server answer? One question for each kind, asked of embedded and of given ones alike."""

from collections.abc import Mapping

from . import address
from .process import StartFailed

NAMES = ("DATABASE_URL", "REDIS_URL", "MONGODB_URL")
PATIENCE = 4  # seconds, for a given server


def given(environment: Mapping[str, str]) -> dict[str, str]:
    """The addresses that somebody set: those servers are theirs to run."""
    return {name: environment[name] for name in NAMES if environment.get(name)}


def expect_answer(name: str, url: str) -> None:
    if error := {"DATABASE_URL": postgres, "REDIS_URL": redis, "MONGODB_URL": mongodb}[name](url):
        raise StartFailed(
            f"{name}: no answer from {address.hidden(url)} ({' '.join(error.split())}). Start that "
            f"server, correct the address, or unset {name} to use the one that comes with ChatTalk."
        )


def postgres(url: str, patience: float = PATIENCE) -> str:
    """What went wrong; nothing if it answers. So the other two."""
    import psycopg

    try:
        with psycopg.connect(url, connect_timeout=round(patience)):
            return ""
    except psycopg.Error as error:
        return str(error)


def redis(url: str, patience: float = PATIENCE) -> str:
    from redis import Redis, RedisError

    limits = {"socket_timeout": patience, "socket_connect_timeout": patience}
    try:
        with Redis.from_url(url, **limits) as client:
            client.ping()
            return ""
    except (RedisError, ValueError) as error:
        return str(error)


def mongodb(url: str, patience: float = PATIENCE) -> str:
    from pymongo import MongoClient
    from pymongo.errors import PyMongoError

    try:
        client: MongoClient = MongoClient(url, serverSelectionTimeoutMS=patience * 1000)
        with client:
            client.admin.command("ping")
            return ""
    except PyMongoError as error:
        return str(error).partition(", Timeout:")[0]
