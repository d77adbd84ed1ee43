"""`pip wheel .`: what the wheel holds, and what it needs."""

import tomllib
from pathlib import Path

from chattalk import deployment
from tests.chattalk.test_layout import APPS

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
SETUPTOOLS = PROJECT["tool"]["setuptools"]


def test_it_holds_each_package_and_what_settings_look_for_beside_them():
    included = {name.removesuffix("*") for name in SETUPTOOLS["packages"]["find"]["include"]}
    assert included == {*APPS, "templates", "static", "locale", "clients.js.lib"}
    assert all((ROOT / name.replace(".", "/")).is_dir() for name in included)
    assert SETUPTOOLS["package-data"] == {"*": ["*"]}


def test_its_requirements_stand_in_one_file():
    assert "dependencies" in PROJECT["project"]["dynamic"]
    assert SETUPTOOLS["dynamic"]["dependencies"] == {"file": ["requirements.in"]}
    assert SETUPTOOLS["dynamic"]["optional-dependencies"] == {
        "kafka": {"file": ["requirements-kafka.in"]}
    }
    for name in ("requirements.in", "requirements-kafka.in"):
        pins = (ROOT / name).read_text().splitlines()
        # Only these forms are read there: no -r, no -c.
        assert all("==" in line for line in pins if line and not line.startswith("#"))


def test_without_the_example_of_settings_no_name_is_strange(settings, tmp_path):
    assert deployment.misspelt({"MESSAGE_RAT": "1"})
    settings.BASE_DIR = tmp_path
    assert deployment.misspelt({"MESSAGE_RAT": "1"}) == []
