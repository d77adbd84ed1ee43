"""interfaces/stomp/ can be deleted with its routes, and the rest is whole."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.chattalk.test_layout import APPS, ROOT

ROUTES = {Path("interfaces/routing.py"), Path("chattalk/urls.py")}
WHOLE = """
import django; django.setup()
from django.urls import get_resolver
from chattalk.asgi import application
from interfaces.routing import websocket_urlpatterns
print(len(get_resolver().url_patterns), len(websocket_urlpatterns))
"""


def mentions(text: str) -> list[str]:
    return [line for line in text.splitlines() if "messaging.stomp" in line or "*stomp" in line]


def test_only_the_routes_know_it():
    files = [file for package in APPS for file in (ROOT / package).rglob("*.py")]
    outside = [file.relative_to(ROOT) for file in files if "stomp" not in file.parts]
    assert {file for file in outside if mentions((ROOT / file).read_text())} == ROUTES


def test_without_it_the_site_starts(tmp_path):
    for package in [*APPS, "templates", "locale", "static"]:
        shutil.copytree(ROOT / package, tmp_path / package)
    shutil.copy(ROOT / "manage.py", tmp_path)
    shutil.rmtree(tmp_path / "messaging" / "stomp")
    for file in ROUTES:
        lines = (tmp_path / file).read_text().splitlines()
        gone = mentions("\n".join(lines))
        assert gone, file
        (tmp_path / file).write_text("\n".join(line for line in lines if line not in gone))
    for command in (["manage.py", "check"], ["-c", WHOLE]):
        run = subprocess.run(
            [sys.executable, *command],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
        )
        assert run.returncode == 0, run.stderr
