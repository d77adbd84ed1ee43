"""A wrong setting stops the start and names itself."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from chattalk.embedded import address, secret_key

ROOT = Path(__file__).resolve().parents[2]
SQL = ("postgresql", "postgres")


@pytest.mark.parametrize(
    "name, value",
    [
        ("DEBUG", "maybe"),
        ("LOG_LEVEL", "loud"),
        ("MESSAGE_RATE", "many"),
        ("MESSAGE_KEEP_DAYS", "-1"),
        ("CHATTALK_WORKERS", "0"),
        ("DATABASE_URL", "postgresql:///nowhere"),
        ("CORS_ALLOWED_ORIGINS", "https://app.example.org,app.example.org"),
        ("ORIGINAL_WEAK_PASSWORDS", "test"),
        ("TRUSTED_PROXIES", "10.0.0.0/8,proxy.example.org"),
        ("SECRET_KEY", ""),
    ],
)
def test_a_wrong_value_stops_the_start_and_names_itself(name, value):
    environment = {**os.environ, name: value}
    if name == "SECRET_KEY":
        environment["DEBUG"] = "false"
    if name == "TRUSTED_PROXIES":
        environment["BEHIND_PROXY"] = "true"
    command = [sys.executable, "manage.py", "check"]
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert run.returncode == 1
    assert run.stderr.startswith(f"chattalk: {name} ")
    assert len(run.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "url",
    [
        "mysql://host/name",
        "host",
        "postgresql:///name",
        "postgresql://host:port/name",
        "postgresql://host:99999/name",
        "postgresql://host:0/name",
        "postgresql://[::1/name",
    ],
)
def test_a_malformed_address_is_refused_by_name(url):
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL"):
        address.check("DATABASE_URL", url, SQL)


@pytest.mark.parametrize(
    "url", ["postgresql://host", "postgresql://host/", "postgresql://host/a/b"]
)
def test_a_database_needs_a_name(url):
    with pytest.raises(ImproperlyConfigured, match="/name"):
        address.django_database(url)


def test_a_refusal_hides_the_password():
    with pytest.raises(ImproperlyConfigured) as refused:
        address.check("DATABASE_URL", "mysql://me:hidden@host/name", SQL)
    assert "hidden" not in str(refused.value)
    assert "me@host" in str(refused.value)


def test_an_address_becomes_djangos_dictionary():
    url = "postgresql://me:p%40ss@db.example:5433/chat?sslmode=require"
    assert address.django_database(url) == {
        "ENGINE": "chattalk.postgresql",
        "NAME": "chat",
        "USER": "me",
        "PASSWORD": "p@ss",
        "HOST": "db.example",
        "PORT": "5433",
        "OPTIONS": {"sslmode": "require"},
    }


def test_a_socket_folder_is_a_host():
    assert address.django_database("postgresql://me@/chat?host=%2Frun%2Fpg")["HOST"] == "/run/pg"


def test_the_secret_key_is_made_once(tmp_path):
    assert len(secret_key(tmp_path / "new")) >= 50
    assert secret_key(tmp_path / "new") == secret_key(tmp_path / "new")
    assert secret_key(tmp_path / "new") != secret_key(tmp_path / "other")


def test_every_setting_is_in_the_example():
    text = (ROOT / "chattalk" / "settings.py").read_text()
    example = (ROOT / ".env.example").read_text()
    names = re.findall(
        r'\b_?(?:flag|number|words|networks|origins|choice|address)\(\s*"([A-Z_]+)"', text
    )
    names += re.findall(r'environ(?:\.get\(|\[)"([A-Z_]+)"', text)
    assert len(names) > 25
    assert [name for name in names if f"{name}=" not in example] == []
