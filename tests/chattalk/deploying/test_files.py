"""The other files of `deploy/`: what reads them takes them, and they name what is there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from django.core.management import get_commands

from chattalk import embedded
from chattalk.environment import names_in
from tests.chattalk.test_layout import APPS

ROOT = Path(__file__).resolve().parents[3]
DEPLOY = ROOT / "deploy"
PYTHON = "/srv/chattalk/site/.venv/bin/python"
EXAMPLE = ROOT / ".env.example"


def needs(program: str) -> pytest.MarkDecorator:
    is_there = shutil.which(program) or os.environ.get("CI")
    return pytest.mark.skipif(not is_there, reason=f"{program} is not installed.")


@needs("systemd-analyze")
@pytest.mark.parametrize(
    "shipped, unit",
    [
        ("chattalk.service", "chattalk.service"),
        ("chattalk-worker@.socket", "chattalk-worker@8001.socket"),
        ("chattalk-worker@.service", "chattalk-worker@8001.service"),
        ("chattalk-relay.service", "chattalk-relay.service"),
        ("chattalk-ingest.service", "chattalk-ingest.service"),
        ("two-hosts/chattalk.service", "chattalk.service"),
    ],
)
def test_systemd_takes_the_units(tmp_path, shipped, unit):
    for name in {shipped, "chattalk-worker@.socket", "chattalk-worker@.service"}:
        file = tmp_path / Path(name).name.replace("@.", "@8001.")
        file.write_text((DEPLOY / name).read_text().replace(PYTHON, sys.executable))
    asked = ["systemd-analyze", "verify", "--man=no", str(tmp_path / unit)]
    said = subprocess.run(asked, capture_output=True, text=True)
    assert (said.returncode, said.stdout + said.stderr) == (0, "")


@needs("haproxy")
def test_haproxy_takes_the_file_for_two_hosts(tmp_path):
    pair = tmp_path / "chat.example.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=chat.example"]
    subprocess.run(
        [*made, "-keyout", pair, "-out", tmp_path / "crt"], check=True, capture_output=True
    )
    pair.write_text(pair.read_text() + (tmp_path / "crt").read_text())
    text = (DEPLOY / "two-hosts/haproxy.cfg").read_text()
    (tmp_path / "haproxy.cfg").write_text(text.replace("/etc/ssl/", f"{tmp_path}/"))
    asked = ["haproxy", "-c", "-q", "-f", str(tmp_path / "haproxy.cfg")]
    said = subprocess.run(asked, capture_output=True, text=True)
    assert (said.returncode, said.stdout + said.stderr) == (0, "")


def test_both_files_of_haproxy_differ_in_the_backend_alone():
    one, two = (
        re.sub(r"#.*", "", (DEPLOY / name).read_text()).split("backend chattalk\n")[0]
        for name in ("haproxy.cfg", "two-hosts/haproxy.cfg")
    )
    assert one.split() == two.split()


def test_the_settings_of_two_hosts_are_settings():
    lines = (DEPLOY / "two-hosts/site.env").read_text().splitlines()
    given = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    assert set(given) <= names_in(EXAMPLE)
    assert given["SECRET_KEY"] == ""  # each site makes its own
    assert set(embedded.given(given)) == set(embedded.STORES)
    assert embedded.django_database(given["DATABASE_URL"])["NAME"] == "chattalk"


def test_the_image_has_each_package_and_serves():
    text = (DEPLOY / "Containerfile").read_text()
    copied = set(re.findall(r"^COPY (\S+) \1$", text, re.M))
    assert copied == {*APPS, "templates", "static", "locale", "clients/js/lib"}
    assert re.search(r'^CMD \["serve"', text, re.M)


def test_compose_names_settings_and_commands_that_are_there():
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    for name in ("migrate", "worker"):
        assert set(services[name]["environment"]) <= names_in(EXAMPLE)
        assert set(services[name]["environment"]) >= {*embedded.STORES, "TRUSTED_PROXIES"}
    assert services["migrate"]["command"][0] in get_commands()


def test_a_paper_names_each_file():
    papers = "".join(path.read_text() for path in (ROOT / "docs").glob("*.md"))
    for path in filter(Path.is_file, DEPLOY.rglob("*")):
        home = path if path.parent in (DEPLOY, DEPLOY / "two-hosts") else path.parent
        assert f"{home.relative_to(ROOT)}" in papers, f"no paper names {path}"
