"""Addresses of servers, read strictly: a malformed one is refused by the name of its setting."""

import re
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from core.redis import address as redis

Database = dict[str, Any]
SEVERAL_CONNECT_SECONDS = 2  # for each, the least that libpq knows: who writes waits for 2.5 s
_SERVER = re.compile(r"(\[[^\]]*\]|[^:]*)(?::(\d*))?")


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


def django_database(url: str, setting: str = "DATABASE_URL") -> Database:
    """What Django's DATABASES says, from postgresql://user:password@host:port/name?option=value.

    There may be several servers, of which that is used which takes what is written:
    @one:5432,two:5433/name, or @/name?host=one,two&port=5432,5433.
    """
    parts = _split(setting, url)
    options: dict[str, Any] = dict(parse_qsl(parts.query))
    name = unquote(parts.path.removeprefix("/"))
    if not name or "/" in name:
        raise ImproperlyConfigured(f"{setting} must end with /name: it is {hidden(url)}.")
    hosts, ports = _servers(setting, url, parts, options)
    if "," in hosts:
        several = {"target_session_attrs": "read-write", "connect_timeout": SEVERAL_CONNECT_SECONDS}
        options = several | options
    return {
        "ENGINE": "core.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": hosts,
        "PORT": ports,
        "OPTIONS": options,
    }


def _servers(
    setting: str, url: str, parts: SplitResult, options: dict[str, str]
) -> tuple[str, str]:
    """Hosts and ports, as libpq takes them: one or several, with commas between."""
    named = [_SERVER.fullmatch(one) for one in parts.netloc.rpartition("@")[2].split(",")]
    found = [(one[1].strip("[]"), one[2] or "") for one in named if one and one[1]]
    hosts = options.pop("host", "") or ",".join(unquote(host) for host, _ in found)
    ports = options.pop("port", "") or ",".join(port for _, port in found)
    many = len(hosts.split(","))
    if len(ports.split(",")) not in (1, many):
        raise ImproperlyConfigured(
            f"{setting} names {many} hosts and {len(ports.split(','))} ports, one of each for each "
            f"server: {hidden(url)}."
        )
    if not all(one.isascii() and one.isdigit() for one in ports.split(",") if one):
        raise ImproperlyConfigured(f"{setting} has a port that is no number: {hidden(url)}.")
    return hosts, ports if ports.strip(",") else ""


def _split(name: str, url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        several = parts.netloc.rpartition("@")[2].split(",")
        for one in several:
            if urlsplit(f"//{one}").port == 0:
                raise ValueError("port 0 is no address")
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} is malformed ({error}): {hidden(url)}.") from None
    return parts


def hidden(url: str) -> str:
    """The address without its password: it may end in a log."""
    before, at, after = url.rpartition("@")
    scheme, slashes, user = before.partition("://")
    return repr(f"{scheme}{slashes}{user.partition(':')[0]}{at}{after}" if at else url)
