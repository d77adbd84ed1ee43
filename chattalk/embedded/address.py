"""Addresses of servers, read strictly: a malformed one is refused by the name of its setting."""

from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from core.redis import address as redis

Database = dict[str, Any]


def check(name: str, url: str, schemes: tuple[str, ...]) -> str:
    """The address itself, if it can be one."""
    scheme = url.partition("://")[0]
    if scheme not in schemes:
        expected = " or ".join(f"{scheme}://" for scheme in schemes)
        raise ImproperlyConfigured(f"{name} must start with {expected}; it is {hidden(url)}.")
    if scheme in redis.CLUSTER + redis.SENTINEL:
        return _check_redis(name, url)
    parts = _split(name, url)
    socket = parts.scheme == "unix" or dict(parse_qsl(parts.query)).get("host", "")
    if not (parts.hostname or socket):
        raise ImproperlyConfigured(f"{name} names no host: {hidden(url)}.")
    return url


def _check_redis(name: str, url: str) -> str:
    """That of a cluster, or of Sentinels."""
    try:
        redis.read(url)
    except redis.Malformed as error:
        raise ImproperlyConfigured(f"{name} is malformed ({error}): {hidden(url)}.") from None
    return url


def django_database(url: str) -> Database:
    """What Django's DATABASES says, from postgresql://user:password@host:port/name?option=value."""
    parts = _split("DATABASE_URL", url)
    options = dict(parse_qsl(parts.query))
    name = unquote(parts.path.removeprefix("/"))
    if not name or "/" in name:
        raise ImproperlyConfigured(f"DATABASE_URL must end with /name: it is {hidden(url)}.")
    return {
        "ENGINE": "core.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", "") or unquote(parts.hostname or ""),
        "PORT": str(parts.port or options.pop("port", "")),
        "OPTIONS": options,
    }


def _split(name: str, url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        if parts.port == 0:
            raise ValueError("port 0 is no address")
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} is malformed ({error}): {hidden(url)}.") from None
    return parts


def hidden(url: str) -> str:
    """The address without its password: it may end in a log."""
    before, at, after = url.rpartition("@")
    scheme, slashes, user = before.partition("://")
    return repr(f"{scheme}{slashes}{user.partition(':')[0]}{at}{after}" if at else url)
