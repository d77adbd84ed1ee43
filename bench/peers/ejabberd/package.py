"""Debian's packages of ejabberd: installed once, as root, and found by dpkg."""

import os
import pwd
import shutil
import signal
import subprocess
import time
from pathlib import Path

from bench.peers import Absent

NAMES = ("ejabberd", "erlang-base", "erlang-p1-pgsql")
INSTALL = ("install", "-y", "--no-install-recommends", *NAMES)
END_WITHIN = 30  # seconds, for a service that the installation started


def install() -> dict[str, str]:
    """The versions. Raises Absent where it is not there and can't be had."""
    if not shutil.which("dpkg-query"):
        raise Absent("ejabberd is taken from Debian's packages, and this is no Debian")
    if len(found := _versions()) < len(NAMES):
        _install()
        found = _versions()
    return found


def libraries() -> Path:
    """The folder of its Erlang applications."""
    return _file("/ebin/ejabberd.app").parents[2]


def schema() -> Path:
    """Its tables, for PostgreSQL."""
    return _file("/sql/pg.sql")


def _versions() -> dict[str, str]:
    """Of those that are installed."""
    told = "${db:Status-Status} ${Package} ${Version}\n"
    command = ["dpkg-query", "--show", f"--showformat={told}", *NAMES]
    lines = subprocess.run(command, capture_output=True, text=True).stdout.splitlines()
    known = [line.split() for line in lines]
    return {name: version for status, name, version in known if status == "installed"}


def _file(ending: str) -> Path:
    command = ["dpkg", "--listfiles", "ejabberd"]
    files = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return next(Path(file) for file in files if file.endswith(ending))


def _install() -> None:
    if os.geteuid():
        raise Absent("ejabberd is installed by apt-get, as root")
    if (done := _apt(*INSTALL)).returncode:  # its lists may be missing, or old
        _apt("update")
        done = _apt(*INSTALL)
    if done.returncode:
        raise Absent(f"apt-get can't install ejabberd: {done.stderr.strip()[-300:]}")
    _end_service()


def _apt(*words: str) -> subprocess.CompletedProcess[str]:
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(["apt-get", *words], env=quiet, capture_output=True, text=True)


def _end_service() -> None:
    """Where services run, Debian starts one at once: what the user it made runs is that."""
    user = pwd.getpwnam("ejabberd").pw_uid
    for pid in _processes(user):
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + END_WITHIN
    while _processes(user):
        if time.monotonic() > deadline:
            raise Absent(f"Debian's ejabberd service does not end: {_processes(user)}")
        time.sleep(0.1)


def _processes(user: int) -> list[int]:
    pids = [entry for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [int(pid.name) for pid in pids if _owner(pid) == user]


def _owner(process: Path) -> int | None:
    try:
        return process.stat().st_uid
    except FileNotFoundError:  # it has ended meanwhile
        return None
