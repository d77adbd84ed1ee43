"""Whether what was promised holds, on a system in use: reads only, and nobody waits for it."""

import time
from typing import Any

from chattalk.maintenance import verify_followers, verify_logs, verify_presence, verify_schema
from chattalk.maintenance.progress import progress
from chattalk.maintenance.report import FAULTS, Findings
from presence import last_seen, stored


def everything(stream: Any, *, grace: float, pruned: bool) -> Findings:
    """`stream` gets the progress. `grace`: seconds that presence may be behind; `pruned`: logs
    may begin late."""
    findings = Findings()
    verify_schema.check(findings)
    with progress(stream, "logs", verify_logs.steps()) as advance:
        verify_logs.check(findings, advance, pruned)
    verify_followers.check(findings, pruned)
    try:
        total = stored.count()
    except last_seen.FAILURES as error:
        findings.unchecked.append(f"presence: MongoDB does not answer: {error}")
        return findings

    def wait(seconds: float) -> None:
        stream.write(f"\npresence: somebody looks wrong, looking again in {seconds:.0f} s\n")
        time.sleep(seconds)

    with progress(stream, "presence", total) as advance:
        verify_presence.check(findings, advance, grace, wait)
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
