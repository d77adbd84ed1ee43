"""The look through all logs (tests/leaks.py) finds what it is there to find."""

import logging

import pytest
from django.test import Client, RequestFactory

from accounts import devices, tickets, tokens
from tests.doors.clients import PASSWORD
from tests.leaks import Watch


@pytest.fixture
def watch():
    """Beside the run's own, which must not hear of it."""
    watch = Watch()
    log = logging.getLogger("tests.leaks")
    log.addHandler(watch)
    log.propagate = False
    yield watch
    log.removeHandler(watch)


@pytest.fixture
def made(alice, no_secret_in_a_log):
    """One of each kind, made in the ways of the site."""
    alice.set_password(PASSWORD)
    alice.save()
    pair = devices.sign_in(RequestFactory().post("/"), alice.email, PASSWORD)
    client = Client()
    client.force_login(alice, "django.contrib.auth.backends.ModelBackend")
    return {
        "a password": PASSWORD,
        "an access token": pair.access,
        "a refresh token": pair.refresh,
        "a ticket": tickets.issue(tokens.verify(pair.access)),
        "a session": client.cookies["sessionid"].value,
    }


def test_each_secret_that_is_made_is_known_and_found_in_a_log(watch, made, no_secret_in_a_log):
    for what, secret in made.items():
        assert no_secret_in_a_log.secrets.get(secret) == what
        watch.secrets, watch.lines = {secret: what}, set()
        logging.getLogger("tests.leaks").warning("somebody came with %s.", secret)
        found = watch.leaks()
        assert any(one.startswith(what) for one in found), what
        assert secret not in str(found)


def test_it_is_found_in_a_traceback_too(watch, made):
    watch.knows(made["a ticket"], "a ticket")
    try:
        raise ValueError(made["a ticket"])
    except ValueError:
        logging.getLogger("tests.leaks").exception("a request failed")
    assert len(watch.leaks()) == 1


@pytest.mark.parametrize(
    "line",
    [
        "GET /ws/ Cookie: sessionid=abcdefghijklmnopqrstuvwxyz012345",
        "offered ticket.abcdefghijklmnopqrstuvwxyz",
        "Authorization: Bearer abcdefghijklmnopqrstuvwxyz",
        "claims of eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJlc2ln",
        "UPDATE accounts_user SET password = 'argon2$argon2id$v=19'",
        "refused: {'email': 'a@example.com', 'password': 'x'}",
    ],
)
def test_what_another_process_logs_is_known_by_its_shape(watch, line):
    watch.heard(f"2026-11-25 05:00:00 WARNING uvicorn: {line}")
    assert len(watch.leaks()) >= 1


def test_what_is_no_secret_may_be_logged(watch):
    watch.heard("WARNING accounts: person 7: a spent refresh token was shown; device ended")
    watch.heard("WARNING django.request: Unauthorized: /api/v1/tokens/refresh/")
    assert watch.leaks() == []
