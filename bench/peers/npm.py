"""Packages of npm, below var/bench/, exactly as a lock file says."""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

from bench.peers import Absent
from bench.peers.child import tool

CI = ["ci", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund", "--loglevel=error"]
WITHIN = 300  # seconds


def install(asked: Path, home: Path) -> dict[str, str]:
    """What `asked` (a folder with package.json and its lock) names; the versions of those."""
    lock = (asked / "package-lock.json").read_bytes()
    wanted, stamp = hashlib.sha256(lock).hexdigest(), home / "node_modules" / ".asked"
    if not stamp.exists() or stamp.read_text() != wanted:
        home.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(asked / name, home / name)
        _ci(home)
        stamp.write_text(wanted)  # last: what was cut off is done again
    names = json.loads((asked / "package.json").read_text())["dependencies"]
    return {name: _version(home / "node_modules" / name) for name in names}


def _ci(home: Path) -> None:
    command = [tool("npm"), *CI]
    try:
        subprocess.run(
            command, cwd=home, check=True, timeout=WITHIN, capture_output=True, text=True
        )
    except subprocess.TimeoutExpired:
        raise Absent(f"npm took over {WITHIN} s") from None
    except subprocess.CalledProcessError as error:
        said = error.stderr.strip().splitlines() or ["it said nothing"]
        raise Absent(f"npm ci failed: {said[0]}") from None


def _version(package: Path) -> str:
    return json.loads((package / "package.json").read_text())["version"]
