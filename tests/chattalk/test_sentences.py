"""Whatever is unwritable, unreadable, missing or foreign: each command ends with one sentence."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GIVEN = {"DATABASE_URL", "REDIS_URL", "MONGODB_URL", "SECRET_KEY"}


def ordinary() -> list[str]:
    """Root may write everywhere and take any port: here it may not, as others."""
    if os.geteuid() != 0:
        return []
    if not (setpriv := shutil.which("setpriv")):
        pytest.skip("as root, without setpriv (util-linux)")
    without = "-dac_override,-dac_read_search,-net_bind_service"
    return [setpriv, "--bounding-set", without, "--inh-caps", without]


def manage(*words: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """As somebody ordinary; only PostgreSQL's socket, if root started that, is not for them."""
    who = [] if "DATABASE_URL" in environment else ordinary()
    return run([*who, sys.executable, "manage.py", *map(str, words)], environment)


def run(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    own = {name: value for name, value in os.environ.items() if name not in GIVEN}
    return subprocess.run(
        command, cwd=ROOT, env={**own, **environment}, capture_output=True, text=True, timeout=100
    )


def sentence(run: subprocess.CompletedProcess[str]) -> str:
    assert run.returncode != 0
    assert "Traceback" not in run.stderr + run.stdout
    *_, last = run.stderr.strip().splitlines()
    assert len(last) < 500
    return last


def locked(folder: Path) -> Path:
    folder.mkdir()
    folder.chmod(0o000)
    return folder


def unwritable(folder: Path) -> Path:
    folder.mkdir()
    folder.chmod(0o500)
    return folder


def with_a_key_of_others(folder: Path) -> Path:
    folder.mkdir()
    (folder / "secret_key").touch(0o000)
    return folder


def with_foreign_addresses(folder: Path) -> Path:
    (folder / "run").mkdir(parents=True)
    (folder / "run" / "servers.json").write_text('["redis://"]')
    return folder


def a_file(path: Path) -> Path:
    path.touch()
    return path


def below_a_file(path: Path) -> Path:
    path.touch()
    return path / "data"


@pytest.fixture
def home(tmp_path):
    yield tmp_path
    for folder in tmp_path.iterdir():  # so that pytest can remove it, whoever runs it
        if folder.is_dir():
            folder.chmod(0o700)


STATES = [locked, unwritable, with_a_key_of_others, with_foreign_addresses, a_file, below_a_file]


@pytest.mark.parametrize("make", STATES, ids=lambda make: make.__name__)
def test_a_data_folder_that_can_not_be_used_is_named(home, make):
    data = make(home / "data")
    said = sentence(manage("check", CHATTALK_DATA=str(data)))
    assert said.startswith("chattalk: ") and str(data) in said


def test_up_names_it_too_and_starts_nothing(home):
    data = unwritable(home / "data")
    said = sentence(manage("up", "--port", "0", CHATTALK_DATA=str(data), SECRET_KEY="s" * 60))
    assert str(data) in said
    assert list(data.iterdir()) == []


NEW = """
import pathlib, sys
from django.core.management.base import CommandError
from chattalk.maintenance import archive
try:
    with archive.new(pathlib.Path(sys.argv[1])):
        pass
except CommandError as error:
    sys.exit(f"CommandError: {error}")
"""


@pytest.mark.parametrize("make", [locked, unwritable, a_file], ids=lambda make: make.__name__)
def test_a_backup_that_can_not_be_written_says_where(home, make):
    target = make(home / "backups") / "chat.zip"
    said = sentence(run([*ordinary(), sys.executable, "-c", NEW, str(target)], {}))
    assert f"{target} can't be written" in said


@pytest.mark.parametrize("kind", ["missing", "folder", "unreadable", "foreign"])
def test_a_backup_that_can_not_be_read_says_which(home, kind):
    file = home / "chat.zip"
    if kind == "folder":
        file.mkdir()
    elif kind != "missing":
        file.write_text("no zip")
        file.chmod(0o000 if kind == "unreadable" else 0o600)
    said = sentence(manage("restore", file, CHATTALK_DATA=str(home / "data")))
    assert str(file) in said and ("can't be read" in said or "is no backup" in said)


@pytest.mark.parametrize(
    "words",
    [["tidy"], ["prunemessages", "--days", "9"], ["migrate"], ["verify"], ["backup", "never.zip"]],
    ids=lambda words: words[0],
)
def test_without_servers_each_command_says_what_is_missing(home, words):
    said = sentence(manage(*words, CHATTALK_DATA=str(home / "data")))
    assert "manage.py up" in said
    assert not (ROOT / "never.zip").exists()


@pytest.mark.parametrize("words", [["tidy"], ["prunemessages", "--days", "9"]], ids=lambda w: w[0])
def test_a_database_that_was_not_migrated_is_named_as_that(home, words):
    empty = os.environ["DATABASE_URL"].replace("/chattalk?", "/postgres?")
    said = sentence(manage(*words, CHATTALK_DATA=str(home / "data"), DATABASE_URL=empty))
    assert "manage.py migrate" in said


def test_a_port_for_root_alone_is_told_from_one_that_is_in_use(home):
    if int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) <= 80:
        pytest.skip("this kernel lets anybody take port 80")
    said = sentence(manage("up", "--port", "80", CHATTALK_DATA=str(home / "data")))
    assert "Port 80 on 127.0.0.1 can't be used (Permission denied): Linux keeps the low" in said


def test_an_address_of_no_network_here_is_named_as_that(home):
    production = {"DEBUG": "false", "SECRET_KEY": "0123456789" * 6, "ALLOWED_HOSTS": "x.example"}
    run = manage("up", "--host", "192.0.2.1", CHATTALK_DATA=str(home / "data"), **production)
    assert "no network of this machine has that address" in sentence(run)
