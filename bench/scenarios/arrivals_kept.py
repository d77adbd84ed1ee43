"""10,000 arrivals until MongoDB has them: by the write-behind, on the server that comes with us.

Beside it the way that most would take: NX-27017 as it comes, and a guarded upsert for each person,
in bulks of 100. Both wait for the disk. People come who were never here, then all of them go, then
the same come back; and last all of them go at once with their process, which has little time.
"""

import asyncio
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from bench.scenarios import hand
from bench.servers import HOME, ROOT, SERVER_CORE, Servers, on_core

MODULE = "bench.scenarios.arrivals_kept"
PEOPLE, ROOM = 10_000, 1
GOAL_SECONDS, FAREWELL_SECONDS = 2.0, 2.0
UPSERTS_AT_ONCE = 100
START_WITHIN = 10  # seconds


def run(servers: Servers, *, short: bool, tell: Callable[[str], None]) -> dict[str, Any]:
    repeats = 2 if short else 5
    around = hand.migrated(servers, "bench_arrivals_kept")
    with _stock_wire() as address:
        runs: dict[str, list[dict[str, float]]] = {"ours": [], "upserts": []}
        with (
            hand.hands(MODULE, around) as (one,),
            hand.hands(MODULE, around | {"MONGODB_URL": address}) as (other,),
        ):
            for turn in range(repeats):
                tell(f"arrivals kept: {turn + 1} of {repeats}")
                runs["ours"].append(one.ask("ours"))
                runs["upserts"].append(other.ask("upserts"))
    found: dict[str, Any] = {name: hand.medians(some) for name, some in runs.items()}
    return found | {"people": PEOPLE, "goal": GOAL_SECONDS, "goal_farewell": FAREWELL_SECONDS}


@contextmanager
def _stock_wire() -> Iterator[str]:
    """Its address. On the servers' core, as ours is."""
    home = HOME / "stock_wire"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    socket = home / "mongodb.sock"
    program = ROOT / "bench" / "peers" / "stock_wire.py"
    command = [sys.executable, "-P", str(program), str(home / "data"), str(socket)]
    server = subprocess.Popen(on_core(SERVER_CORE, command))
    try:
        deadline = time.monotonic() + START_WITHIN
        while not socket.exists():
            assert time.monotonic() < deadline, "NX-27017 did not come up"
            time.sleep(0.05)
        yield f"mongodb://{quote(str(socket), safe='')}/bench"
    finally:
        server.terminate()
        server.wait(START_WITHIN)


# --- in the hand ------------------------------------------------------------------------------


def ours() -> dict[str, float]:
    from presence import farewells
    from presence.last_seen import Attendance, connect
    from presence.write_behind import WriteBehind

    async def store() -> dict[str, float]:
        behind, took = WriteBehind("bench", lambda: None), {}
        behind.seen(1)
        await behind.store()  # the self-check, and the indexes
        for name, marks in visits():
            for mark in marks:
                behind.note(mark)
            began = time.perf_counter()
            await behind.store()
            took[name] = time.perf_counter() - began
        for mark in marks:
            behind.note(mark)
        began = time.perf_counter()
        await behind.leave()
        took["farewell"] = time.perf_counter() - began
        behind.close()
        return took

    connect()
    Attendance.objects.delete()
    took = asyncio.run(store())
    _check(Attendance.objects(online=True).count())
    while left := farewells.one():
        farewells.forget(left[0])
    return took


def upserts() -> dict[str, float]:
    from presence.last_seen import Attendance, connect, ensure_indexes

    connect()
    ensure_indexes()
    Attendance.objects.delete()
    kept, took = Attendance._get_collection(), {}
    for name, marks in visits():
        updates = [_upsert(mark) for mark in marks]
        began = time.perf_counter()
        for start in range(0, PEOPLE, UPSERTS_AT_ONCE):
            kept.bulk_write(updates[start : start + UPSERTS_AT_ONCE], ordered=False)
        took[name] = time.perf_counter() - began
    _check(kept.count_documents({"online": True}))
    return took


def visits() -> Iterator[tuple[str, list[Any]]]:
    from presence.marks import Mark

    def came(version: int) -> list[Mark]:
        more = {"version": version, "online": True, "process": "bench", "came_at": version}
        return [Mark(ROOM, user, **more) for user in range(1, PEOPLE + 1)]

    yield "new", came(1)
    yield "gone", [Mark(ROOM, user, 2, exit_at=user, seq=7) for user in range(1, PEOPLE + 1)]
    yield "back", came(3)


def _upsert(mark: Any) -> Any:
    import pymongo

    fields = {"room": mark.room, "user": mark.user, "online": mark.online, "version": mark.version}
    if mark.online:
        fields |= {"process": mark.process, "came_at": mark.came_at}
    change: dict[str, Any] = {"$set": fields}
    if mark.exit_at:
        change["$max"] = {"exit_at": mark.exit_at, "seq": mark.seq}
    guarded = {"_id": mark.name, "version": {"$lte": mark.version}}
    return pymongo.UpdateOne(guarded, change, upsert=True)


def _check(online: int) -> None:
    assert online == PEOPLE, f"{online} of {PEOPLE} are here"


if __name__ == "__main__":
    hand.obey(ours=ours, upserts=upserts)
