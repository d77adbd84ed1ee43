"""However many workers there are, PostgreSQL has connections for all of them, or it is said."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from django.conf import settings

from chattalk.embedded import StartFailed, shares

ROOT = Path(__file__).resolve().parents[2]
SIZES = (
    "from django.conf import settings as s; pool = s.DATABASES['default']['OPTIONS']['pool'];"
    " print(1 + s.READ_CONNECTIONS + pool['max_size'])"
)


@pytest.fixture
def limited():
    """The address of a role that may connect so many times."""
    made = []

    def make(count: int) -> str:
        name = f"limited_{count}"
        with psycopg.connect(settings.DATABASE_URL, autocommit=True) as server:
            server.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'x' CONNECTION LIMIT {count}")
        made.append(name)
        return settings.DATABASE_URL.replace("//chattalk@", f"//{name}:x@")

    yield make
    with psycopg.connect(settings.DATABASE_URL, autocommit=True) as server:
        for name in made:
            server.execute(f"DROP ROLE {name}")


@pytest.mark.parametrize("workers", [1, 2, 8, 32, 64])
def test_an_embedded_server_has_enough_for_all(workers):
    there = shares.wanted(workers) - shares.RESERVED
    each = min(shares.AT_MOST, (there - shares.SPARE) // workers)
    assert each >= min(shares.AT_MOST, shares.EACH) > shares.AT_LEAST
    assert each * workers + shares.SPARE <= there


def test_a_share_follows_from_what_the_server_allows(limited):
    assert shares.share(settings.DATABASE_URL, 1) == shares.AT_MOST
    assert shares.share(settings.DATABASE_URL, 32) == (200 - 3 - shares.SPARE) // 32
    assert shares.share(limited(60), 8) == 5


def test_workers_for_whom_there_are_too_few_are_not_started(limited):
    with pytest.raises(StartFailed, match="allows 60 .* 11 workers need 64: start at most 10 w"):
        shares.share(limited(60), 11)


def test_up_says_that_it_does_not_fit(limited, tmp_path):
    environment = {**os.environ, "CHATTALK_DATA": str(tmp_path), "DATABASE_URL": limited(21)}
    command = [sys.executable, "manage.py", "up", "--port", "0"]
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert run.returncode == 1
    assert "PostgreSQL allows 21 connections, and 1 worker needs 24: raise" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("share", [4, 5, 6, 17, 40])
def test_the_pools_of_a_process_are_no_more_than_its_share(share):
    environment = {**os.environ, "DATABASE_CONNECTIONS": str(share)}
    command = [sys.executable, "-c", SIZES]
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert run.stdout == f"{share}\n", run.stderr
