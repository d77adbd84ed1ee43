"""What `up` and `serve` say before they serve strangers: Django's own checks for deployment."""

import os
from collections.abc import Mapping

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage

from core.text import first_line

from .embedded import StartFailed
from .environment import alike, names_in
from .server.workers import is_loopback

# All of them follow from HTTPS=false: one sentence instead of five.
OF_HTTPS = {f"security.W0{number}" for number in ("04", "08", "10", "11", "12", "15", "16", "17")}
NO_HTTPS = (
    "HTTPS is false: passwords and cookies cross the network as they are, "
    "and can be read on the way."
)


def refuse_unsafe(host: str) -> None:
    if settings.DEBUG and not is_loopback(host):
        raise StartFailed(
            f"With DEBUG on, others must not reach the site at {host}: "
            "set DEBUG=false, SECRET_KEY and ALLOWED_HOSTS, or leave out --host."
        )
    if not settings.ALLOWED_HOSTS:
        raise StartFailed("ALLOWED_HOSTS is empty: name the hosts by which people reach the site.")


def expect_metrics_port(workers: int) -> None:
    if settings.METRICS_TOKEN and workers > 1 and not settings.METRICS_PORT:
        raise StartFailed(
            "METRICS_TOKEN needs METRICS_PORT where several workers serve: the one that is asked "
            "asks the others there."
        )


def warnings() -> list[str]:
    """A sentence for each thing that is allowed, and hardly meant. Raises StartFailed for what
    is not."""
    return [*_names(), *([] if settings.DEBUG else _checks())]


def expect_fit_mongodb() -> None:
    """Before people come to a server that loses who went away when. Raises StartFailed."""
    from presence import last_seen, self_check  # and mongoengine, which `up` needs for this alone

    try:
        self_check.check()
    except last_seen.Unfit as error:
        raise StartFailed(f"MONGODB_URL: {error}") from error
    except last_seen.FAILURES as error:
        raise StartFailed(
            f"MONGODB_URL: the server answers, but stores nothing ({first_line(error)}). Let its "
            "user read and write that database, or correct the address."
        ) from error
    finally:
        last_seen.disconnect()


def _names() -> list[str]:
    """Sentences about strange names in .env and in the environment. A name there may well be of
    another program, so the site starts all the same; what is nearly ours in .env is refused when
    settings are read."""
    told = [f".env names {name}, which is no setting: ignored." for name in settings.UNKNOWN_NAMES]
    return told + misspelt(os.environ)


def misspelt(environment: Mapping[str, str]) -> list[str]:
    example = settings.BASE_DIR / ".env.example"
    if not example.exists():  # installed as a wheel, which has packages only
        return []
    ours = names_in(example)
    strange = sorted(set(environment) - ours - set(settings.UNKNOWN_NAMES))
    meant = {name: alike(name, ours) for name in strange}
    return [
        f"The environment names {name}, which is no setting; did you mean {setting}?"
        for name, setting in meant.items()
        if setting and setting not in environment
    ]


def _checks() -> list[str]:
    found = [
        one for one in checks.run_checks(include_deployment_checks=True) if not one.is_silenced()
    ]
    if errors := [_sentence(one) for one in found if one.is_serious()]:
        raise StartFailed("\n".join(errors))
    plain = [] if settings.HTTPS else [one for one in found if one.id in OF_HTTPS]
    return ([NO_HTTPS] if plain else []) + [_sentence(one) for one in found if one not in plain]


def _sentence(message: CheckMessage) -> str:
    first = str(message.msg).partition(". ")[0].rstrip(".")
    return f"{' '.join(first.split())} ({message.id})."
