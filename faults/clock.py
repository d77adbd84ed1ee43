"""A worker whose clock is wrong: libfaketime, preloaded into its process alone.

Debian's package is taken if it is there. Else the one of PyPI is built under var/ when a scenario
first asks for it: that takes a compiler, which nothing else here does, so it is no requirement.
"""

import subprocess
import sys
from glob import glob

from faults.run import Absent
from faults.site import HOME

PINNED = "libfaketime==3.0.1"
DEBIAN = "/usr/lib/*/faketime/libfaketime.so.1"
BUILT = "libfaketime/vendor/libfaketime/src/libfaketime.so.1"
BUILT_WITHIN = 120  # seconds


def library() -> str:
    """Where it is. Raises Absent."""
    folder = HOME / "clock"
    built = folder / BUILT
    if found := glob(DEBIAN):
        return found[0]
    if not built.exists():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        words = [*pip, "--no-deps", "--upgrade", "--target", str(folder), PINNED]
        try:
            subprocess.run(words, check=True, capture_output=True, timeout=BUILT_WITHIN)
        except (subprocess.SubprocessError, OSError) as error:
            raise Absent(f"{PINNED} can't be built here (gcc, make): {error}") from None
    if not built.exists():
        raise Absent(f"{PINNED} has no {BUILT}")
    return str(built)


def ahead(seconds: float) -> dict[str, str]:
    """The environment of a worker whose wall clock is that far ahead; negative: behind. Its
    monotonic clock, by which it waits, is right."""
    return {
        "LD_PRELOAD": library(),
        "FAKETIME": f"{seconds:+g}s",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_NO_CACHE": "1",
    }
