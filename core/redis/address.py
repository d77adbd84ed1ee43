"""What an address of Redis says.

    redis://[user:password@]host:port/db                              one server; also unix://
    redis+cluster://[user:password@]host:port,host:port               some nodes of a cluster
    redis+sentinel://[user:password@]host:port,host:port/service/db   Sentinels, what they watch

`rediss`, `rediss+cluster` and `rediss+sentinel` are the same by TLS. What redis-py's `from_url`
takes behind a `?` may stand there, too. The user is the servers'; that of the Sentinels is
`?sentinel_username=…&sentinel_password=…`. The library `limits` has the same forms.
"""

import hashlib
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import unquote, urlsplit

from redis.connection import SSLConnection, parse_url

SINGLE = ("redis", "rediss", "unix")
CLUSTER = ("redis+cluster", "rediss+cluster")
SENTINEL = ("redis+sentinel", "rediss+sentinel")
SCHEMES = SINGLE + CLUSTER + SENTINEL
MARK_CHARACTERS = 8  # of 16: two of a few sites have the same one once in a thousand million
PORTS = {"cluster": 6379, "sentinel": 26379}


class Malformed(ValueError):
    """Half a sentence: what is wrong with an address."""


@dataclass(frozen=True)
class Address:
    """That of a cluster or of Sentinels."""

    form: str  # "cluster" or "sentinel"
    hosts: tuple[tuple[str, int], ...]
    service: str = ""
    options: dict[str, Any] = field(default_factory=dict, hash=False)  # of each connection
    sentinel_options: dict[str, Any] = field(default_factory=dict, hash=False)


@cache
def read(url: str) -> Address | None:
    """None for that of a single server, which redis-py reads itself. Raises Malformed."""
    scheme, _, rest = url.partition("://")
    if scheme in SINGLE:
        return None
    form = scheme.partition("+")[2]
    where, question, query = rest.partition("?")
    login, _, where = where.rpartition("@")
    names, _, path = where.partition("/")
    service, db = _path(form, path)
    options = _options(f"{scheme.partition('+')[0]}://{login + '@' if login else ''}x/{db}?{query}")
    sentinel = {
        key.removeprefix("sentinel_"): options.pop(key)
        for key in ("sentinel_username", "sentinel_password")
        if key in options
    }
    tls = {key: value for key, value in options.items() if key.startswith("ssl")}
    return Address(form, _hosts(names, PORTS[form]), service, options, sentinel | tls)


def mark(url: str, database: str) -> str:
    """A site's own, where channels of pub/sub are named: Redis tells all who listen, whatever the
    number of their database, and a cluster has one. `database`: the name of that of PostgreSQL."""
    address = read(url)
    options = address.options if address else parse_url(url)
    told = f"{options.get('db', 0)}/{database}"
    return hashlib.sha256(told.encode()).hexdigest()[:MARK_CHARACTERS]


def _path(form: str, path: str) -> tuple[str, str]:
    """The service, and the number of the database."""
    if form == "cluster":
        if path.strip("/") not in ("", "0"):
            raise Malformed("a cluster has no numbered databases, so nothing follows its hosts")
        return "", "0"
    service, _, db = path.strip("/").partition("/")
    if not service:
        raise Malformed("the service that Sentinel watches follows the hosts: /mymaster")
    if db and not db.isdecimal():
        raise Malformed("what follows the service is the number of a database")
    return unquote(service), db or "0"


def _options(url: str) -> dict[str, Any]:
    """As redis-py reads them. Of TLS it says a class of connections; `ssl` says the same to all."""
    try:
        found = dict(parse_url(url))
    except ValueError as error:
        raise Malformed(str(error)) from None
    found.pop("host", None)
    if found.get("db") == 0:
        del found["db"]  # it is the first one anyway, and a cluster's only one
    if found.pop("connection_class", None) is SSLConnection:
        found["ssl"] = True
    return found


def _hosts(names: str, port: int) -> tuple[tuple[str, int], ...]:
    return tuple(_host(name, port) for name in names.split(","))


def _host(name: str, port: int) -> tuple[str, int]:
    try:
        found = urlsplit(f"//{name}")
        if not found.hostname or found.port == 0:
            raise ValueError
        return found.hostname, found.port or port
    except ValueError:
        raise Malformed(f"{name!r} is no host:port") from None
