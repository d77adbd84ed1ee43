"""The words that each fuzzer takes when it is run alone."""

import argparse
import inspect
import json
import random
import sys
from collections.abc import Callable
from typing import Any


def main(run: Callable[..., dict[str, Any]], about: str | None) -> None:
    """Prints what `run` found as JSON; the exit status tells whether it was nothing."""
    parser = argparse.ArgumentParser(description=about)
    usual = inspect.signature(run).parameters["seconds"].default
    parser.add_argument("--seconds", type=float, default=usual)
    parser.add_argument("--seed", type=int, default=random.randrange(2**31))
    asked = parser.parse_args()
    found = {"seed": asked.seed} | run(seconds=asked.seconds, seed=asked.seed)
    print(json.dumps(found, indent=2))
    sys.exit(any(found["findings"].values()))
