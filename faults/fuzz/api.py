"""schemathesis on the OpenAPI document and the GraphQL schema, with all its checks, at a worker.

What it brings is pinned by requirements-faults.txt. What each run said is left in var/bench/fuzz/.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from faults.fuzz import options, site

ROOT = Path(__file__).resolve().parents[2]
CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
REPORTS = ROOT / "var" / "bench" / "fuzz"
MORE_SECONDS = 120  # to end what was begun, and to shrink what was found
# GraphQL says in `errors` what it refuses, and schemathesis takes each of those for a fault of
# the server or the schema. Which are, the check `graphql_answers` of api_people.py tells by code.
NOT_FOR_GRAPHQL = ("not_a_server_error", "positive_data_acceptance")


def run(seconds: float = 120, seed: int = 1) -> dict[str, Any]:
    """`{"executions": …, "findings": {kind: how many}, "rest": …, "graphql": …}`."""
    with site.running() as ours:
        asks, ends = ours.person("Alice"), ours.person("Erin")
        people = json.dumps({"asks": asks.email, "ends": ends.email})
        rest = _schemathesis(
            "rest", ours.url, people, seconds * 0.7, seed, f"{ours.url}/api/schema/"
        )
        graphql = _schemathesis(
            "graphql", ours.url, people, seconds * 0.3, seed,
            str(ROOT / "docs" / "schema.graphql"), "--url", f"{ours.url}/graphql/",
            "--exclude-checks", ",".join(NOT_FOR_GRAPHQL),
        )  # fmt: skip
        tracebacks = len(ours.complaints())
    findings: dict[str, int] = {"logged_tracebacks": tracebacks}
    for part in (rest, graphql):
        for kind, count in part["findings"].items():
            findings[kind] = findings.get(kind, 0) + count
    executions = rest["executions"] + graphql["executions"]
    return {"executions": executions, "findings": findings, "rest": rest, "graphql": graphql}


def _schemathesis(
    name: str, url: str, people: str, seconds: float, seed: int, *what: str
) -> dict[str, Any]:
    REPORTS.mkdir(parents=True, exist_ok=True)
    report, shown = REPORTS / f"{name}.json", REPORTS / f"{name}.txt"
    report.unlink(missing_ok=True)
    command = [
        str(Path(sys.executable).with_name("st")), "--config-file", str(CONFIGURATION),
        "run", "--checks", "all", "--continue-on-failure", "--no-color",
        "--max-time", str(max(int(seconds), 1)), "--seed", str(seed),
        "--report", "json", "--report-json-path", str(report), *what,
    ]  # fmt: skip
    environment = os.environ | {
        "SCHEMATHESIS_HOOKS": "faults.fuzz.api_people",
        "PYTHONPATH": str(ROOT),
        "FUZZ_URL": url,
        "FUZZ_PEOPLE": people,
    }
    with shown.open("w") as output:
        subprocess.run(
            command, cwd=REPORTS, env=environment, stdout=output, stderr=subprocess.STDOUT,
            timeout=seconds + MORE_SECONDS,
        )  # fmt: skip
    return _read(report, shown)


def _read(report: Path, shown: Path) -> dict[str, Any]:
    """It must have run to be believed: without a report, or with too little tested, it did not."""
    if not report.exists():
        raise RuntimeError(f"schemathesis did not run: {shown.read_text()[-2000:]}")
    told = json.loads(report.read_text())
    findings = {failure["type"]: failure["count"] for failure in told["failures"]}
    findings["errors"] = len(told["errors"])
    findings["untested_operations"] = told["operations"]["selected"] - told["operations"]["tested"]
    return {
        "executions": told["test_cases"]["generated"],
        "operations": told["operations"]["tested"],
        "findings": findings,
        "shown": str(shown.relative_to(ROOT)),
    }


if __name__ == "__main__":
    options.main(run, __doc__)
