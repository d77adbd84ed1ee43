"""`runserver` is daphne's, and nobody else pays for that."""

import os
import subprocess
import sys
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOADED = "import django, sys; django.setup(); print('twisted' in sys.modules)"
LISTENS = "Listening on TCP address "


def test_runserver_serves_the_site_by_daphne():
    command = [
        sys.executable,
        "-W",
        "ignore",
        "manage.py",
        "runserver",
        "--noreload",
        "127.0.0.1:0",
    ]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as run:
        try:
            said = next(line for line in run.stderr if LISTENS in line)
            where = said.partition(LISTENS)[2].strip()
            with urllib.request.urlopen(f"http://{where}/livez") as answer:
                assert answer.status == 200
                assert answer.headers["Server"] == "daphne"
        finally:
            run.kill()


def test_a_process_that_serves_nothing_by_it_does_not_load_it():
    loaded = subprocess.run(
        [sys.executable, "-c", LOADED], cwd=ROOT, capture_output=True, text=True
    )
    assert loaded.stdout == "False\n", loaded.stderr
