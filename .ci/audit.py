"""Known weaknesses of all that is pinned: `make audit`. Where nobody can be asked, it says so.

    python .ci/audit.py requirements.txt requirements-dev.txt …

Ends with 1 when there is one that stands not in HARMLESS.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WAIT_SECONDS = 120  # for all of it
HARMLESS: dict[str, str] = {}  # id of the weakness: why it is none of ours
BEGAN = time.monotonic()
PROBE = "django=="  # asked for first: who knows nothing of it, knows nothing


def main(files: list[str]) -> int:
    try:
        probe = _audit([_only(PROBE, Path(files[0]))])
        found = [] if _unknown(probe) else [one for name in files for one in _audit([name])]
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        print(f"skipped: known weaknesses can't be asked for here ({_short(error)})")
        return 0
    if not found:
        print("skipped: known weaknesses can't be asked for here (the index has no such data)")
        return 0
    return _tell(found)


def _tell(found: list[dict]) -> int:
    for one in _unknown(found):
        print(f"skipped: {one['name']}: {one['skip_reason']}")
    weak = 0
    for one in found:
        for weakness in one.get("vulns", []):
            known = {weakness["id"], *weakness.get("aliases", [])}
            why = next((HARMLESS[name] for name in known if name in HARMLESS), "")
            weak += not why
            mended = ", ".join(weakness["fix_versions"]) or "nothing yet"
            print(f"{one['name']} {one['version']}: {weakness['id']}, mended by {mended}. {why}")
    print(f"{len({one['name'] for one in found})} packages, {weak} known weaknesses")
    return int(weak > 0)


def _unknown(found: list[dict]) -> list[dict]:
    return [one for one in found if "skip_reason" in one]


def _only(start: str, pins: Path) -> str:
    """A file with just that pin, and its hashes."""
    lines = pins.read_text().split(start, 1)[1].splitlines()
    kept = [start + lines[0]]
    while kept[-1].endswith("\\"):
        kept.append(lines[len(kept)])
    path = Path(tempfile.mkdtemp()) / "one.txt"
    path.write_text("\n".join(kept) + "\n")
    return str(path)


def _audit(files: list[str]) -> list[dict]:
    command = [
        str(Path(sys.executable).with_name("pip-audit")), "--require-hashes", "--disable-pip",
        "--progress-spinner", "off", "--timeout", "10", "--format", "json",
        *(word for name in files for word in ("--requirement", name)),
    ]  # fmt: skip
    left = max(WAIT_SECONDS - (time.monotonic() - BEGAN), 1)
    done = subprocess.run(command, capture_output=True, text=True, timeout=left)
    if not done.stdout.strip():
        raise ValueError(done.stderr.strip() or f"pip-audit ended with {done.returncode}")
    return json.loads(done.stdout)["dependencies"]


def _short(error: Exception) -> str:
    return str(error).splitlines()[-1][:200]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
