"""The data folder: who may use it, and what it keeps for us."""

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import tempfile
from pathlib import Path
from typing import IO
from urllib.parse import quote

from .process import StartFailed

SOCKET_PATH_MAX = 107  # bytes, Linux
LONGEST_SOCKET = "/postgres/.s.PGSQL.5432"
OWNER = "chattalk"  # of the database, which has the same name


def secret_key(data: Path) -> str:
    """Made once, readable by its owner alone."""
    path = data / "secret_key"
    if not path.exists():
        make_folder(data, 0o755)
        draft = data / f"secret_key.{os.getpid()}"
        write_private(draft, secrets.token_urlsafe(50))
        try:
            os.link(draft, path)  # two that start at once agree on the first one's
        except FileExistsError:
            return path.read_text()
        finally:
            draft.unlink()
    return path.read_text()


def replace_secret_key(data: Path, key: str) -> None:
    """It counts from the next start on."""
    draft = data / f"secret_key.{os.getpid()}"
    write_private(draft, key)
    draft.replace(data / "secret_key")


def hold(data: Path) -> IO[str]:
    """The right to use the folder, until the file that comes back is closed or we die."""
    make_folder(data, 0o755)
    lock = (data / "lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        owner = lock.read().strip() or "unknown"
        lock.close()
        raise StartFailed(
            f"The data folder {data} is in use by another run (process {owner}). "
            "Stop that one, or give this one a folder of its own with CHATTALK_DATA."
        ) from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def make_folder(path: Path, mode: int) -> Path:
    try:
        path.mkdir(mode=mode, parents=True, exist_ok=True)
    except OSError as error:
        raise StartFailed(
            f"{path} can't be made ({error.strerror}): give another folder with CHATTALK_DATA."
        ) from None
    return path


def socket_folder(data: Path) -> Path:
    """Inside the data folder; in the temporary one where that path is too long for a socket."""
    inside = data / "run"
    if len(os.fsencode(inside)) + len(LONGEST_SOCKET) <= SOCKET_PATH_MAX:
        return inside
    name = hashlib.sha256(os.fsencode(data)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"chattalk-{os.geteuid()}-{name}"


def postgres_url(data: Path, database: str) -> str:
    sockets = quote(str(socket_folder(data) / "postgres"), safe="")
    return f"postgresql://{OWNER}@/{database}?host={sockets}"


def valkey_url(data: Path) -> str:
    return f"unix://{quote(str(socket_folder(data) / 'valkey.sock'))}"


def mongodb_url(data: Path) -> str:
    return f"mongodb://{quote(str(socket_folder(data) / 'mongodb.sock'), safe='')}/{OWNER}"


def make_socket_folder(data: Path) -> None:
    path = make_folder(socket_folder(data), 0o711)
    if path.is_symlink() or path.stat().st_uid != os.geteuid():
        raise StartFailed(f"{path} belongs to somebody else: remove it, or move CHATTALK_DATA.")


def write_private(path: Path, text: str) -> None:
    with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)


def running_servers(data: Path) -> dict[str, str]:
    """The addresses that a running `manage.py up` left for the other commands."""
    path = data / "run" / "servers.json"
    try:
        found = json.loads(path.read_text())
        return {str(name): str(url) for name, url in found.items()}
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise StartFailed(f"{path} can't be read ({error.strerror}).") from None
    except (ValueError, AttributeError):
        raise StartFailed(f"{path} is not what `manage.py up` writes: remove it.") from None


def tell_addresses(data: Path, addresses: dict[str, str]) -> None:
    path = make_folder(data / "run", 0o711) / "servers.json"
    draft = path.with_suffix(".new")
    write_private(draft, json.dumps(addresses, indent=1))
    draft.replace(path)


def clear_run(data: Path) -> None:
    """Nothing of a run that has ended, or crashed, is believed any more."""
    (data / "run" / "servers.json").unlink(missing_ok=True)
    shutil.rmtree(socket_folder(data), ignore_errors=True)
