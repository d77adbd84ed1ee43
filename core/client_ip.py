"""Where a request comes from, as every limit and the lockout count it.

The server says it: its peer, or what a proxy in TRUSTED_PROXIES tells of the client
(chattalk/server/worker.py). No header is read here, so whoever writes one counts as before.
"""

import ipaddress
from functools import lru_cache

from django.http import HttpRequest


@lru_cache(maxsize=4096)
def home(address: str) -> str:
    """One word for all addresses that one client may choose from; empty for what is none.

    Who has one address of IPv6 has all 2^64 beside it: the first of them stands for all.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped:  # a socket that listens on :: shows all of IPv4 so
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed.packed, 64), strict=False).network_address)


def of(request: HttpRequest) -> str:
    return home(request.META.get("REMOTE_ADDR", ""))


def of_attempt(request: HttpRequest) -> str | None:
    """For django-axes, which keeps it as an address."""
    return of(request) or None
