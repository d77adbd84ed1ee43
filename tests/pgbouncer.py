"""PgBouncer in transaction mode, before a PostgreSQL of the tests."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from chattalk.embedded.postgres import SERVICE_USER

SERVERS = 2  # connections to PostgreSQL that it has
INI = """
[databases]
* = host={sockets} user=chattalk {port}
[pgbouncer]
listen_addr =
unix_socket_dir = {folder}
listen_port = 6432
auth_type = any
admin_users = chattalk
pool_mode = transaction
default_pool_size = {servers}
max_client_conn = 200
server_reset_query_always = 0
logfile = {folder}/pgbouncer.log
{more}
"""


@contextmanager
def running(server: str, **more: str) -> Iterator[str]:
    """Its folder: the host of an address. `server`: the address of PostgreSQL by its socket."""
    if shutil.which("pgbouncer") is None and not os.environ.get("CI"):
        pytest.skip("`apt install pgbouncer` installs the pooler.")
    folder = Path(tempfile.mkdtemp(prefix="pgbouncer-", dir="/tmp"))
    asked = parse_qs(urlsplit(server).query)
    port = f"port={asked['port'][0]}" if "port" in asked else ""
    named = {"sockets": asked["host"][0], "port": port, "folder": folder, "servers": SERVERS}
    lines = "\n".join(f"{name} = {value}" for name, value in more.items())
    becomes = f"user = {_owner()}\n" if os.geteuid() == 0 else ""
    (folder / "pgbouncer.ini").write_text(INI.format(**named, more=lines) + becomes)
    shutil.chown(folder, _owner())
    command = ["pgbouncer", "-q", str(folder / "pgbouncer.ini")]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        _wait(folder, process)
        yield str(folder)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(10)
        shutil.rmtree(folder)


def address(folder: str, database: str) -> str:
    return f"postgresql://chattalk@/{database}?host={folder}&port=6432"


def _owner() -> str:
    """It does not run as root."""
    return SERVICE_USER if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name


def _wait(folder: Path, process: subprocess.Popen) -> None:
    end = time.monotonic() + 10
    while not (folder / ".s.PGSQL.6432").exists():
        said = (folder / "pgbouncer.log").read_text() if process.poll() is not None else ""
        assert not said and time.monotonic() < end, said
        time.sleep(0.05)


def servers(folder: str) -> int:
    """Connections to PostgreSQL that it has."""
    console = address(folder, "pgbouncer")
    with psycopg.connect(console, autocommit=True, cursor_factory=psycopg.ClientCursor) as asked:
        return len(asked.execute("SHOW SERVERS").fetchall())
