"""What people and what they say take on disk and in memory, for docs/operating.md.

    python -m bench.storage

Keeps it in bench/results/storage.json; `python -m bench.sizing` makes the page's numbers of it.
"""

import json
import sys
from pathlib import Path
from typing import Any

from bench import filled
from bench.servers import ROOT

RESULT = ROOT / "bench" / "results" / "storage.json"
SIZES = {"people": 20_000, "rooms": 200, "seats": 50, "lines": 1_000}
HERE = 10_000  # people, in rooms of `seats`
TABLES = {"message": "messaging_event", "seat": "rooms_membership", "person": "accounts_user"}


def main() -> None:
    with filled.site(durable=False):
        filled.fill(SIZES)
        kept = {f"{what}_bytes": _of_table(table) for what, table in TABLES.items()}
        kept |= {"presence_valkey_bytes": _in_valkey(), "presence_mongodb_bytes": _in_mongodb()}
    RESULT.write_text(json.dumps({"sizes": SIZES, "here": HERE, **kept}, indent=1) + "\n")
    print(RESULT.read_text())


def _of_table(table: str) -> int:
    """Bytes of a row, with its indexes."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_total_relation_size('{table}') / count(*) FROM {table}")
        return int(cursor.fetchone()[0])


def _in_valkey() -> int:
    """Of a person who is here in one room."""
    import asyncio

    from presence.leases import Leases

    async def come() -> int:
        from django.conf import settings

        leases = Leases(settings.REDIS_URL, "bench", 15.0)
        await leases.beat()
        before = await _used(leases)
        for room in range(HERE // SIZES["seats"]):
            people = range(room * SIZES["seats"], (room + 1) * SIZES["seats"])
            here = [("here", one, f"Person {one}") for one in people]
            ((_, applied),) = await leases.apply([(room, True, here)])
            assert applied, "Redis does not know this process"
        used = await _used(leases) - before
        await leases.close()
        return used

    return asyncio.run(come()) // HERE


async def _used(leases: Any) -> int:
    import redis.asyncio
    from django.conf import settings

    async with redis.asyncio.Redis.from_url(settings.REDIS_URL) as client:
        return int((await client.info("memory"))["used_memory"])


def _in_mongodb() -> int:
    """Of a document, on the disk of the server that comes with ChatTalk."""
    from django.conf import settings

    from presence import last_seen
    from presence.marks import Mark

    def size() -> int:
        files = Path(settings.DATA_DIR, "mongodb").glob("chattalk*")
        return sum(file.stat().st_size for file in files)

    more = {"version": 1_800_000_000_000_000, "online": True, "process": "bench"}
    last_seen.write([Mark(0, 0, **more)])
    before = size()
    for start in range(0, HERE, 500):
        rooms = [(one // SIZES["seats"], one) for one in range(start, start + 500)]
        last_seen.write([Mark(*one, came_at=more["version"], **more) for one in rooms])
    last_seen.disconnect()
    return (size() - before) // HERE


if __name__ == "__main__":
    sys.exit(main())
