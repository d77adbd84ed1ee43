"""V1: what must hold in the stores, after all that was done to them."""

import asyncio
import json
import subprocess

from faults.run import Run, scenario


@scenario("V1", "`manage.py verify`, after all of the above", seeds=1)
async def invariants(run: Run) -> None:
    """Its faults are counted as unhandled, each by its own name in the figures."""
    try:
        told = await asyncio.to_thread(run.site.manage, "verify", "--json", "--pruned")
    except subprocess.CalledProcessError as failed:
        told = failed.stdout
    found = json.loads(told)
    run.figures["verify"] = found
    run.operations["looked_at"] = sum(found["looked_at"].values())
    run.counts["unhandled"] += sum(found["faults"].values()) + len(found["unchecked"])
