"""A wrong setting stops the start and names itself."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core import checks
from django.core.exceptions import ImproperlyConfigured

from chattalk import deployment, environment
from chattalk.embedded import StartFailed, address, secret_key

ROOT = Path(__file__).resolve().parents[2]
SQL = ("postgresql", "postgres")


@pytest.mark.parametrize(
    "name, value",
    [
        ("DEBUG", "maybe"),
        ("LOG_LEVEL", "loud"),
        ("LOG_FORMAT", "xml"),
        ("METRICS_PORT", "65535"),
        ("METRICS_TOKEN", "short"),
        ("METRICS_TOKEN", "with a blank in its middle"),
        ("MESSAGE_RATE", "many"),
        ("MESSAGE_KEEP_DAYS", "-1"),
        ("CHATTALK_WORKERS", "0"),
        ("DATABASE_CONNECTIONS", "3"),
        ("DATABASE_URL", "postgresql:///nowhere"),
        ("DATABASE_POOLER", "session"),
        ("DATABASE_REPLICA_URL", "postgresql://host"),
        ("DATABASE_REPLICA_LAG", "2"),
        ("DATABASE_DIRECT_URL", "postgresql://host"),
        ("DATABASE_DIRECT_URL", "mysql://host/name"),
        ("CORS_ALLOWED_ORIGINS", "https://app.example.org,app.example.org"),
        ("ORIGINAL_WEAK_PASSWORDS", "test"),
        ("ORIGINAL_CLIENT", "maybe"),
        ("TRUSTED_PROXIES", "10.0.0.0/8,proxy.example.org"),
        ("KAFKA_URL", "broker:9092"),
        ("KAFKA_URL", "kafka://"),
        ("KAFKA_URL", "kafka://broker:port"),
        ("KAFKA_URL", "kafka://name@broker:9092"),
        ("KAFKA_URL", "kafka://broker:9092/?acks=0"),
        ("KAFKA_TOPIC", "what is said"),
        ("KAFKA_COMMANDS_TOPIC", "a" * 201),
        ("SECRET_KEY", ""),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "0123456789" * 4 + "012345678"),  # one too few
        ("SECRET_KEY", "abcd" * 15),
        ("SECRET_KEY", "django-insecure-" + "0123456789" * 5),
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
        "postgresql://host:5432,other:99999/name",
        "postgresql://host:5432,other:port/name",
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
        "ENGINE": "core.postgresql",
        "NAME": "chat",
        "USER": "me",
        "PASSWORD": "p@ss",
        "HOST": "db.example",
        "PORT": "5433",
        "OPTIONS": {"sslmode": "require"},
    }


@pytest.mark.parametrize(
    "url, host, port",
    [
        ("postgresql://me@one,two/chat", "one,two", ""),
        ("postgresql://me@one:5432,[::1]:5433/chat", "one,::1", "5432,5433"),
        ("postgresql://me@/chat?host=one,two&port=5432,5433", "one,two", "5432,5433"),
        ("postgresql://me@/chat?host=%2Frun%2Fa,%2Frun%2Fb&port=5432", "/run/a,/run/b", "5432"),
        ("postgresql://me@one,two:5433/chat", "one,two", ",5433"),
    ],
)
def test_of_several_servers_that_is_used_which_takes_what_is_written(url, host, port):
    assert address.check("DATABASE_URL", url, SQL) == url
    found = address.django_database(url)
    assert (found["HOST"], found["PORT"]) == (host, port)
    assert found["OPTIONS"] == {"target_session_attrs": "read-write", "connect_timeout": 2}


def test_which_of_several_servers_it_is_may_be_said_otherwise():
    url = "postgresql://me@one,two/chat?target_session_attrs=primary&connect_timeout=5"
    wanted = {"target_session_attrs": "primary", "connect_timeout": "5"}
    assert address.django_database(url)["OPTIONS"] == wanted


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me@/chat?host=one,two,three&port=5432,5433",
        "postgresql://me@/chat?host=one,two&port=5432,port",
    ],
)
def test_each_of_several_servers_has_its_port(url):
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL .*port"):
        address.django_database(url)


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
        r'\b_?(?:flag|number|words|networks|origins|choice|address|kafka|topic)\(\s*"([A-Z_]+)"',
        text,
    )
    names += re.findall(r'environ(?:\.get\(|\[)"([A-Z_]+)"', text)
    assert len(names) > 25
    assert [name for name in names if f"{name}=" not in example] == []


@pytest.fixture
def env(tmp_path, monkeypatch):
    """Write a .env and read it; what it sets is gone after the test."""
    monkeypatch.setattr(os, "environ", dict(os.environ))
    monkeypatch.setattr(environment.environ.Env, "ENVIRON", os.environ)

    def read(text: str | bytes) -> list[str]:
        path = tmp_path / ".env"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return environment.read(path, ROOT / ".env.example")

    return read


def test_a_file_of_settings_is_read(env):
    assert env("# ours\n\nMESSAGE_RATE=7\nexport FRAME_RATE='8'\n") == []
    assert (os.environ["MESSAGE_RATE"], os.environ["FRAME_RATE"]) == ("7", "8")


@pytest.mark.parametrize(
    "name, meant",
    [("ALOWED_HOSTS", "ALLOWED_HOSTS"), ("debug", "DEBUG"), ("SECRETKEY", "SECRET_KEY")],
)
def test_a_misspelt_name_in_the_file_is_refused_with_the_one_that_was_meant(env, name, meant):
    with pytest.raises(ImproperlyConfigured) as refused:
        env(f"MESSAGE_RATE=7\n{name}=x\n")
    assert str(refused.value) == f".env names {name}, which is no setting; did you mean {meant}?"


def test_a_name_of_another_program_is_told_and_left_alone(env, settings):
    settings.UNKNOWN_NAMES = env("COMPOSE_PROJECT_NAME=chat\n")
    assert settings.UNKNOWN_NAMES == ["COMPOSE_PROJECT_NAME"]
    told = ".env names COMPOSE_PROJECT_NAME, which is no setting: ignored."
    assert told in deployment.warnings()


@pytest.mark.parametrize("line", ["DEBUG = hidden", "DEBUG: hidden", "  DEBUG=hidden", "hidden"])
def test_a_line_that_would_be_ignored_is_refused_and_not_shown(env, line):
    with pytest.raises(ImproperlyConfigured, match=".env, line 2, can't be read") as refused:
        env(f"# ours\n{line}\n")
    assert "hidden" not in str(refused.value)


def test_a_file_that_is_no_text_is_refused(env, tmp_path):
    with pytest.raises(ImproperlyConfigured, match="not in UTF-8"):
        env(b"DEBUG=\xff\n")
    with pytest.raises(ImproperlyConfigured, match="can't be read"):
        environment.read(tmp_path, ROOT / ".env.example")  # a folder


def test_a_misspelt_name_in_the_environment_is_told():
    usual = {"PATH": "", "LOGNAME": "", "HTTP_PROXY": "", "HOSTNAME": "", "LANGUAGE": ""}
    told = deployment.misspelt({**usual, "ALOWED_HOSTS": "x", "DEBUGS": "x", "DEBUG": ""})
    assert told == [
        "The environment names ALOWED_HOSTS, which is no setting; did you mean ALLOWED_HOSTS?"
    ]


def test_djangos_checks_for_deployment_are_told_in_sentences(settings):
    settings.DEBUG, settings.SECURE_CONTENT_TYPE_NOSNIFF = False, False
    https, nosniff = deployment.warnings()
    assert https == deployment.NO_HTTPS
    assert nosniff.startswith("Your SECURE_CONTENT_TYPE_NOSNIFF setting is not set to True")
    assert nosniff.endswith("(security.W006).")


def test_an_error_among_them_stops_the_start(settings):
    settings.DEBUG, settings.SECURE_REFERRER_POLICY = False, "no such policy"
    with pytest.raises(StartFailed, match=r"security\.E023"):
        deployment.warnings()
    settings.SILENCED_SYSTEM_CHECKS = ["security.E023"]
    assert checks.run_checks() == [] and deployment.warnings() == [deployment.NO_HTTPS]
