"""How `manage.py up --reload` reaches the `manage.py up` of its data folder: by a socket in it, for
the same user alone. Asked "reload", that answers with lines, and with DONE or FAILED in the end.
"""

import os
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from chattalk.embedded import StartFailed, data_dir

ASKED = b"reload\n"
DONE, FAILED = "\x00done", "\x00failed"
ASK_WITHIN = 5.0  # seconds, to say what is wanted

Show = Callable[[str], None]


def path(data: Path) -> Path:
    return data_dir.socket_folder(data) / "up.sock"


class Control:
    def __init__(self, data: Path, reload: Callable[[Show], bool]) -> None:
        self._reload = reload
        self._listener = socket.socket(socket.AF_UNIX)
        before = os.umask(0o177)
        try:
            self._listener.bind(str(path(data)))
        finally:
            os.umask(before)
        self._listener.listen()

    def start(self) -> None:
        threading.Thread(target=self._serve, name="control", daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                asked, _ = self._listener.accept()
            except OSError:  # closed
                return
            threading.Thread(target=self._answer, args=(asked,), daemon=True).start()

    def _answer(self, asked: socket.socket) -> None:
        """The reload goes on, too, when nobody reads its lines any more."""

        def tell(line: str) -> None:
            with suppress(OSError):
                asked.sendall(f"{line}\n".encode())

        with asked:
            asked.settimeout(ASK_WITHIN)
            if _asks(asked):
                tell(DONE if self._reload(tell) else FAILED)


def _asks(asked: socket.socket) -> bool:
    try:
        return asked.recv(len(ASKED)) == ASKED
    except OSError:  # it says nothing, or is gone
        return False


def ask(data: Path, show: Show) -> None:
    """Raises StartFailed, where nobody is asked or it was not done."""
    last = ""
    with socket.socket(socket.AF_UNIX) as up:
        try:
            up.connect(str(path(data)))
        except OSError as error:
            raise StartFailed(
                f"No `manage.py up` of the data folder {data} can be asked ({error.strerror}): "
                "start it, or name its folder with CHATTALK_DATA."
            ) from None
        up.sendall(ASKED)
        with up.makefile(encoding="utf-8") as lines:
            for line in lines:
                if (last := line.rstrip("\n")) not in (DONE, FAILED):
                    show(last)
    if last == FAILED:
        raise StartFailed("the reload was not done: the last line above says why.")
    if last != DONE:
        raise StartFailed("`manage.py up` ended meanwhile.")
