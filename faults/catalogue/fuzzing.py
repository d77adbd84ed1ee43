"""E: input that nobody would send on purpose. Each fuzzer is a program with a site of its own."""

import asyncio
import importlib.util
import json
import sys
from typing import Any

from faults.fuzz.site import browser
from faults.run import Absent, Run, scenario
from faults.site import ROOT

MARGIN_SECONDS = 300  # to start, and to finish what it is at


@scenario("E9", "bytes through the sockets: frames, STOMP, SockJS", seeds=1, short=False)
async def sockets(run: Run) -> None:
    await _fuzz(run, "sockets", 180)


@scenario("E4", "the decoders of frames and STOMP, byte by byte", seeds=1, short=False)
async def codecs(run: Run) -> None:
    await _fuzz(run, "codecs", 400)


@scenario("E7", "scripts and links in every text that is shown", seeds=1, short=False)
async def inert(run: Run) -> None:
    if browser() is None:
        raise Absent("no Chromium is installed, and CHROMIUM names none")
    await _fuzz(run, "xss", 180)


@scenario("E10", "schemathesis at REST and GraphQL, all checks", seeds=1, short=False)
async def schemas(run: Run) -> None:
    if importlib.util.find_spec("schemathesis") is None:
        raise Absent("schemathesis is not installed: make faults-full does it")
    await _fuzz(run, "api", 240)


@scenario("M1", "a room beside a model of it: enter, say, leave, come back", seeds=1, short=False)
async def model(run: Run) -> None:
    await _fuzz(run, "rooms", 180)


async def _fuzz(run: Run, name: str, seconds: int) -> None:
    """Its findings count as unhandled, each by its own name in the figures."""
    words = ["-m", f"faults.fuzz.{name}", "--seconds", str(seconds), "--seed", str(run.seed)]
    program = await asyncio.create_subprocess_exec(
        sys.executable, *words, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(seconds + MARGIN_SECONDS):
            told, _ = await program.communicate()
    finally:
        if program.returncode is None:
            program.terminate()
    found: dict[str, Any] = json.loads(told)
    run.operations["executions"] = found["executions"]
    run.bound("inputs", 100, found["executions"], unit="", at_least=True)  # it did what it is for
    run.counts["unhandled"] += sum(found["findings"].values())
    run.figures[name] = found
