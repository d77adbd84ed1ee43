"""What the environment says, read strictly: a wrong value stops the start and names itself."""

import difflib
import ipaddress
import os
import re
from pathlib import Path

import environ
from django.core.checks.security import base as djangos
from django.core.exceptions import ImproperlyConfigured

LINE = re.compile(r"(?:export )?([A-Za-z_0-9]+)=.*")  # what django-environ reads
FROM_FILE: set[str] = set()  # names; a process of ours that reads the file, too, does so itself
ALIKE = 0.8  # of 1, from which on a name is taken for a misspelt one


def read(path: Path, example: Path) -> list[str]:
    """The file into the environment, which wins over it. `example` has the names of all settings.

    What can't be meant for us is refused here, for it would be ignored: the site would run, but
    not as its owner wrote. Names that are like none of ours come back: the file may be shared
    with other programs (compose files, shells).
    """
    if not path.exists():
        return []
    ours = names_in(example)
    lines = enumerate(_text(path).splitlines(), 1)
    unknown = [name for number, line in lines if (name := _name(line, number)) not in {"", *ours}]
    for name in unknown:
        if meant := alike(name, ours):
            raise ImproperlyConfigured(
                f"{path.name} names {name}, which is no setting; did you mean {meant}?"
            )
    before = set(os.environ)
    environ.Env.read_env(path)
    FROM_FILE.update(set(os.environ) - before)
    return unknown


def names_in(example: Path) -> set[str]:
    return set(re.findall(r"^#?([A-Z_]+)=", _text(example), re.MULTILINE))


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise ImproperlyConfigured(f"{path} can't be read ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise ImproperlyConfigured(f"{path} can't be read: it is not in UTF-8.") from None


def _name(line: str, number: int) -> str:
    """The text of a line is not told: it may hold a password."""
    if not line or line.startswith("#"):
        return ""
    if not (found := LINE.fullmatch(line)):
        raise ImproperlyConfigured(
            f".env, line {number}, can't be read: write NAME=value, with no blank around the name."
        )
    return found[1]


def alike(name: str, ours: set[str]) -> str:
    """The one of ours that was meant; nothing if none is near."""
    return next(iter(difflib.get_close_matches(name.upper(), sorted(ours), 1, ALIKE)), "")


def secret(name: str, value: str) -> str:
    """One that can't be guessed, by the measure of Django's own check, security.W009."""
    if not value:
        raise ImproperlyConfigured(
            f"{name} is missing. Without DEBUG there is no default: set it to 50 or more random "
            "characters, the same for every process."
        )
    if value.startswith(djangos.SECRET_KEY_INSECURE_PREFIX):
        wrong = f"it begins with {djangos.SECRET_KEY_INSECURE_PREFIX!r}, as a made-up one does"
    elif len(value) < djangos.SECRET_KEY_MIN_LENGTH:
        wrong = f"it has {len(value)} characters"
    elif len(set(value)) < djangos.SECRET_KEY_MIN_UNIQUE_CHARACTERS:
        wrong = f"it has {len(set(value))} different characters"
    else:
        return value
    raise ImproperlyConfigured(
        f"{name} is too weak to sign with ({wrong}): set it to 50 or more random characters."
    )


def token(name: str) -> str:
    value = os.environ.get(name, "")
    if value and not re.fullmatch(r"[!-~]{16,}", value):
        raise ImproperlyConfigured(f"{name} must have 16 characters or more, without blanks.")
    return value


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


def kafka(name: str) -> dict[str, str]:
    """How to reach Kafka, as its client wants it; nothing where no address is given."""
    if not (value := os.environ.get(name, "")):
        return {}
    from interfaces.kafka import address  # nobody else needs it

    try:
        return address.parse(value)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} can't be used: {error}.") from None


def topic(name: str, default: str) -> str:
    value = os.environ.get(name) or default
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,200}", value) or value in {".", ".."}:
        raise ImproperlyConfigured(
            f"{name} must be 1 to 200 of the characters A-Z a-z 0-9 . _ -, not {value!r}."
        )
    return value
