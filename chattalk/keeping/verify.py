"""Whether what was promised holds, on a system in use: reads only, and nobody waits for it."""

import time
from typing import Any

from chattalk.keeping import attendance, logs, schema
from chattalk.keeping.findings import FAULTS, Findings
from chattalk.keeping.progress import progress
from presence import documents, stored


def everything(stream: Any, *, grace: float, pruned: bool) -> Findings:
    """`stream` gets the progress. `grace`: seconds that presence may be behind; `pruned`: logs
    may begin late."""
    findings = Findings()
    schema.check(findings)
    with progress(stream, "logs", logs.steps()) as advance:
        logs.check(findings, advance, pruned)
    try:
        total = stored.count()
    except documents.FAILURES as error:
        findings.unchecked.append(f"presence: MongoDB does not answer: {error}")
        return findings

    def wait(seconds: float) -> None:
        stream.write(f"\npresence: somebody looks wrong, looking again in {seconds:.0f} s\n")
        time.sleep(seconds)

    with progress(stream, "presence", total) as advance:
        attendance.check(findings, advance, grace, wait)
    return findings


def report(findings: Findings) -> list[str]:
    """The verdict, in lines to read."""
    lines = [f"{many:>14,}  {what} looked at" for what, many in findings.looked_at.items()]
    lines += ["", *(f"{many:>14,}  {name}" for name, many in findings.counts.items())]
    for name, examples in findings.examples.items():
        lines += ["", f"{name}: {FAULTS[name]}", *(f"  {example}" for example in examples)]
    lines += ["", *(f"Not checked: {why}" for why in findings.unchecked)]
    faults = sum(findings.counts.values())
    return [*lines, "All holds." if findings.good else f"NOT all holds: {faults:,} faults."]
