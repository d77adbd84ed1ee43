"""Whether what listens at an address is what the address says: asked at the start, by any form."""

from typing import Any

from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry
from redis.sentinel import MasterNotFoundError

from core.redis.address import read
from core.redis.clients import client, sentinels

MISTAKEN = ("it is ", "Sentinel watches ")  # how the words for another kind begin
NO_CLUSTER = "Cluster mode is not enabled"  # redis-py's words
NO_NODE = "Redis Cluster cannot be connected. Please provide at least one reachable node: "
NO_SENTINEL = "unknown command 'SENTINEL'"  # and the server's


def wrong(url: str, seconds: float) -> str:
    """What is, in half a sentence; nothing if all is well."""
    limits = {"socket_timeout": seconds, "socket_connect_timeout": seconds}
    try:
        with client(url, **limits, retry=Retry(NoBackoff(), 0)) as redis:
            redis.ping()
            return _mistaken(redis) if read(url) is None else ""
    except MasterNotFoundError:
        return _unwatched(url)
    except (RedisError, ValueError) as error:
        return _told(str(error))


def _told(error: str) -> str:
    if NO_CLUSTER in error:
        return "it is no cluster; one server has the address redis://host:port/0"
    if NO_SENTINEL in error:
        return "it is no Sentinel; one server has the address redis://host:port/0"
    return error.removeprefix(NO_NODE)


def _mistaken(redis: Any) -> str:
    """It answers, but not as a server of its own."""
    try:
        said = redis.info("server")  # Valkey and Redis have a word each
    except ResponseError:  # who may not ask is not refused for it
        return ""
    mode = said.get("server_mode") or said.get("redis_mode")
    if mode == "cluster":
        return (
            "it is a node of a cluster, which has the address redis+cluster://host:port,host:port"
        )
    if mode == "sentinel":
        return "it is a Sentinel; its address is redis+sentinel://host:port,host:port/service/0"
    return ""


def _unwatched(url: str) -> str:
    """Why Sentinel tells of no master."""
    address = read(url)
    assert address
    why = ""
    for sentinel in sentinels(address):
        try:
            watched = sorted(sentinel.sentinel_masters())
        except RedisError as error:
            why = _told(str(error))
            continue
        if address.service not in watched:
            return f"Sentinel watches no {address.service!r}, but {', '.join(watched) or 'nothing'}"
        why = f"Sentinel knows no master of {address.service!r} that lives"
    return why
