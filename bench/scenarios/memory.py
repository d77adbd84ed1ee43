"""What an idle connection takes: resident memory of a server with 2,000 in one room (G6)."""

import time
from collections.abc import Callable
from typing import Any

from bench import cpu
from bench.figures import Figure
from bench.servers import Servers
from bench.setups import Setup, setups

CONNECTIONS, WARMING = 2000, 50
SETTLE_SECONDS = 2.0  # after the last one came in: presence is shown, garbage is collected
GOALS = {"daphne": 0.7, "uvicorn": None, "socketio": 1.3}  # of the tutorial as it stands


def run(servers: Servers, *, short: bool, tell: Callable[[str], None]) -> dict[str, Any]:
    """Of servers that were just started, after some clients came and went."""
    kilobytes: dict[str, float] = {}
    names: dict[str, str] = {}
    with setups(servers, tell) as those:
        for one in those.get("ours", *GOALS):
            tell(f"memory: {one.name}")
            names[one.key], kilobytes[one.key] = one.name, per_connection(one) / 1024
    figures = [
        Figure(
            "G6", f"memory per connection, {CONNECTIONS:,} idle", kilobytes["ours"], "KiB",
            names[key], kilobytes[key], at_most=bound,
        ).as_dict()
        for key, bound in GOALS.items()
        if key in kilobytes
    ]  # fmt: skip
    return {"kilobytes": kilobytes, "figures": figures}


def per_connection(one: Setup, rooms: int = 1, members: int = CONNECTIONS) -> float:
    """Bytes, of a server that was just started."""
    _hold(one, 1, WARMING)
    before = cpu.memory(one.server.pids)
    return (_hold(one, rooms, members) - before) / (rooms * members)


def _hold(one: Setup, rooms: int, members: int) -> int:
    """Let so many come; resident bytes while they are there."""
    load = one.load(one.plan(rooms, members), hold=True, measure=0)
    load.until("connected")
    time.sleep(SETTLE_SECONDS)
    taken = cpu.memory(one.server.pids)
    load.go_on()
    load.report()
    return taken
