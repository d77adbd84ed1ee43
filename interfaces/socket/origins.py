"""From which page a handshake comes. A cookie comes along whoever wrote the page, so it counts only
for pages of the very address that is asked: scheme, host and port, as for a form.

The scheme is what a trusted proxy says of its client, and else our own
(chattalk/server/worker.py); the host is `Host` alone, one of ALLOWED_HOSTS, as Django has it: a
proxy passes it on.
"""

import re
from collections.abc import Collection
from functools import lru_cache
from typing import Any, NamedTuple

from django.conf import settings
from django.http.request import split_domain_port, validate_host

PORTS = {"http": 80, "https": 443}  # what an address without a port means
SCHEMES = {"ws": "http", "wss": "https"}  # of the page that may open it
_ORIGIN = re.compile(r"(https?)://([^/?#@\\\s]+)", re.ASCII | re.IGNORECASE)
_PLACE = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]]+)(?::([0-9]{1,5}))?", re.ASCII | re.IGNORECASE)

Scope = dict[str, Any]


class Origin(NamedTuple):
    scheme: str
    host: str
    port: int


def is_own(scope: Scope, also: Collection[str] = ()) -> bool:
    """Whether a page of ours opens it, or one of the origins in `also` (https://host:port)."""
    sent = _sent(scope, b"origin")
    origin = read(sent) if sent is not None else None
    if origin is None:
        return False
    return origin == own(scope) or origin in map(read, also)


def own(scope: Scope) -> Origin | None:
    """The origin of our pages at the address by which this handshake came. None if that address is
    none of ours."""
    host = _sent(scope, b"host")
    return _own(scope.get("scheme", "ws"), host, tuple(_own_hosts())) if host is not None else None


@lru_cache(maxsize=1024)
def _own(scheme: str, host: str, hosts: tuple[str, ...]) -> Origin | None:
    if not validate_host(split_domain_port(host)[0], hosts):
        return None
    return _place(SCHEMES.get(scheme, ""), host)


@lru_cache(maxsize=1024)
def read(text: str) -> Origin | None:
    """The origin as a browser writes it; None for what is no page of http or https."""
    found = _ORIGIN.fullmatch(text)
    return _place(found[1].lower(), found[2]) if found else None


def _place(scheme: str, text: str) -> Origin | None:
    found = _PLACE.fullmatch(text)
    if found is None or scheme not in PORTS:
        return None
    return Origin(scheme, found[1].lower(), int(found[2] or PORTS[scheme]))


def _sent(scope: Scope, wanted: bytes) -> str | None:
    """The header, if it came once."""
    values = [value for name, value in scope["headers"] if name == wanted]
    return values[0].decode("latin-1") if len(values) == 1 else None


def _own_hosts() -> list[str]:
    """As Django reads ALLOWED_HOSTS."""
    return settings.ALLOWED_HOSTS or (["localhost", "127.0.0.1", "[::1]"] if settings.DEBUG else [])
