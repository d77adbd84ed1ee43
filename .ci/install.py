"""Installs what requirements*.txt pin into the virtual environment whose Python runs this.

    .venv/bin/python .ci/install.py requirements.txt [requirements-dev.txt …]

pip alone either says nothing for minutes or four hundred lines. This says what is being done and
how far it is, and all that pip said if that failed. Nothing is installed yet, so nothing but
Python's own library is used.
"""

import re
import subprocess
import sys
import sysconfig
import threading
import time
from pathlib import Path

PIP = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
PIP += ["--require-hashes", "--progress-bar", "off"]
PIN = re.compile(r"^([A-Za-z0-9._-]+)==", re.MULTILINE)
FOUND = re.compile(r"(?:Collecting|Requirement already satisfied:) ([^ ;]+)")
TO_INSTALL = "Installing collected packages: "
TICK = {True: 0.5, False: 10.0}  # seconds between two pictures, on a terminal and elsewhere
TOLD_MAX = 60  # lines of pip, when it failed


class Installation:
    def __init__(self, files: list[str]) -> None:
        self.command = PIP + [word for file in files for word in ("-r", file)]
        self.total = len({name for file in files for name in PIN.findall(Path(file).read_text())})
        self.found = 0
        self.latest = ""
        self.names: list[str] = []  # in the order in which they are unpacked
        self.said: list[str] = []
        self._packages = Path(sysconfig.get_path("purelib"))

    def read(self, pip: "subprocess.Popen[str]") -> None:
        assert pip.stdout
        for line in pip.stdout:
            self.said.append(line.rstrip())
            if found := FOUND.match(line.strip()):
                self.found, self.latest = self.found + 1, found[1]
            elif line.startswith(TO_INSTALL):
                self.names = line.removeprefix(TO_INSTALL).strip().split(", ")

    def step(self) -> str:
        if not self.names:
            return f"fetching {self.found} of {max(self.total, self.found)}: {self.latest}"
        there = {_plain(path.name.split("-")[0]) for path in self._packages.glob("*.dist-info")}
        missing = [name for name in self.names if _plain(name) not in there]
        done = len(self.names) - len(missing)
        latest = missing[0] if missing else "the last ones are compiled"
        return f"installing {done} of {len(self.names)}: {latest}"


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> int:
    files, began, is_terminal = sys.argv[1:], time.monotonic(), sys.stdout.isatty()
    work = Installation(files)
    print(
        f"Installing {work.total} packages ({', '.join(files)}) into {Path(sys.prefix).name}, "
        "once: about a minute, or a few where the machine or the line is slow.",
        flush=True,
    )
    pip = subprocess.Popen(
        work.command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    reading = threading.Thread(target=work.read, args=(pip,), daemon=True)
    reading.start()
    while reading.is_alive():
        reading.join(TICK[is_terminal])
        if reading.is_alive():
            _show(f"{time.monotonic() - began:7.0f} s  {work.step()}", is_terminal)
    if status := pip.wait():
        _show("\n".join(work.said[-TOLD_MAX:]), is_terminal)
        print(f"The installation failed: pip's reason is above (status {status}).", file=sys.stderr)
        return status
    _show(f"{time.monotonic() - began:7.0f} s  the packages are installed", is_terminal)
    print(end="\n" if is_terminal else "")
    return 0


def _show(text: str, is_terminal: bool) -> None:
    """It stays where it is on a terminal."""
    print(f"\r\033[K{text}" if is_terminal else f"{text}\n", end="", flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("\nStopped; `make` goes on from here the next time.")
