"""What the environment says, read strictly: a wrong value stops the start and names itself."""

import ipaddress
import os
import re

from django.core.exceptions import ImproperlyConfigured


def flag(name: str, default: bool) -> bool:
    value = os.environ.get(name, "")
    meant = {"": default, "1": True, "true": True, "on": True, "yes": True}
    meant |= {"0": False, "false": False, "off": False, "no": False}
    if value.lower() not in meant:
        raise ImproperlyConfigured(f"{name} must be true or false, not {value!r}.")
    return meant[value.lower()]


def number(name: str, default: float, low: float, high: float) -> float:
    value = os.environ.get(name) or str(default)
    try:
        given = float(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a number, not {value!r}.") from None
    if not low <= given <= high:
        raise ImproperlyConfigured(f"{name} must be from {low:g} to {high:g}, not {value!r}.")
    return given


def choice(name: str, default: str, choices: tuple[str, ...]) -> str:
    value = (os.environ.get(name) or default).upper()
    if value not in choices:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(choices)}, not {value!r}.")
    return value


def words(name: str, default: list[str]) -> list[str]:
    value = os.environ.get(name, "")
    return [word.strip() for word in value.split(",") if word.strip()] or default


def networks(name: str, default: list[str]) -> list[str]:
    given = words(name, default)
    try:
        return [str(ipaddress.ip_network(network)) for network in given]
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} takes addresses and networks: {error}.") from None


def origins(name: str) -> list[str]:
    given = words(name, [])
    for origin in given:
        if not re.fullmatch(r"https?://[^/?#@*\s]+", origin):
            raise ImproperlyConfigured(f"{name} takes https://host[:port], not {origin!r}.")
    return given
