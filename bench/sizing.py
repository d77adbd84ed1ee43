"""The numbers of docs/operating.md, from what was measured.

    python -m bench.sizing

Reads bench/results/, and writes between the marks of that page. A test holds them together.
"""

import json
import math
import re
from collections.abc import Iterator

from bench.kept import RESULTS, parts
from bench.servers import ROOT

PAGE = ROOT / "docs" / "operating.md"
MARKS = re.compile(r"(?<=<!-- sizing -->\n).*?(?=\n<!-- end of sizing -->)", re.DOTALL)

PEOPLE = (10_000, 100_000, 1_000_000, 10_000_000)  # online at once
EVERY_SECONDS = 300  # each says something so often
IN_A_ROOM = 20  # of those who are online, so each message is delivered so often
HOURS = 8  # a day, that each is online
WORKER_SOCKETS = 10_000  # that one worker is given
SPARE = 0.5  # of a core, for what comes at once
MIB, GIB = 2**20, 2**30


def measured() -> dict[str, float]:
    """What one core does, and what one person takes."""
    kept = parts()
    goals = {one.what: one.ours for part in kept.values() for one in part.figures}
    back = kept["arrivals_kept"].result
    storage = json.loads((RESULTS / "storage.json").read_text())
    return {
        "socket": goals["memory per connection, 2,000 idle"] * 1024,
        "worker": kept["memory_flat"].result["samples"][0][1] * MIB,
        "writes": goals["durable writes, 50 in flight, 50 rooms"],
        "deliveries": goals["large room: deliveries"],
        "reconnects": goals["whole reconnects, sign-in and handshake too"],
        "arrivals": back["people"] / back["ours"]["back"],
        "message": storage["message_bytes"],
        "valkey": storage["presence_valkey_bytes"],
        "mongodb": storage["presence_mongodb_bytes"],
    }


def text() -> str:
    return "\n\n".join(["\n".join(_one()), "\n".join(_many())])


def _one() -> Iterator[str]:
    it = measured()
    yield "| one | measured |"
    yield "|---|--:|"
    yield f"| socket, idle in a room | {it['socket'] / 1024:.0f} KiB |"
    yield f"| worker, before anybody comes | {it['worker'] / MIB:.0f} MiB |"
    yield f"| core: deliveries to sockets a second, large rooms | {it['deliveries']:,.0f} |"
    yield f"| core: people who come back a second, all at once | {it['reconnects']:,.0f} |"
    yield f"| writer: messages stored a second, 50 rooms | {it['writes']:,.0f} |"
    yield f"| MongoDB wire: arrivals stored a second | {it['arrivals']:,.0f} |"
    yield f"| message in PostgreSQL, with its indexes | {it['message']:,.0f} B |"
    yield f"| person who is here, in Valkey | {it['valkey']:,.0f} B |"
    yield f"| person who was ever in a room, in MongoDB | {it['mongodb']:,.0f} B |"


def _many() -> Iterator[str]:
    many = [_for(count) for count in PEOPLE]
    yield f"| people online | {' | '.join(f'{count:,}' for count in PEOPLE)} |"
    yield f"|---|{'--:|' * len(PEOPLE)}"
    for name in many[0]:
        yield f"| {name} | {' | '.join(one[name] for one in many)} |"


def _for(people: int) -> dict[str, str]:
    it = measured()
    messages = people / EVERY_SECONDS
    deliveries = messages * IN_A_ROOM
    workers = -(-people // WORKER_SOCKETS)
    cores = max(workers, math.ceil(deliveries / it["deliveries"] / SPARE))
    memory = people * it["socket"] + workers * it["worker"]
    return {
        "messages a second": f"{messages:,.0f}",
        "deliveries a second": f"{deliveries:,.0f}",
        "workers, a core each": f"{cores:,}",
        "memory of the workers": f"{memory / GIB:,.1f} GiB",
        "until all are back, if all come at once": f"{people / it['reconnects'] / cores:,.0f} s",
        "of what one writer stores": f"{100 * messages / it['writes']:,.1f} %",
        "arrivals in MongoDB, if all come at once": f"{people / it['arrivals']:,.0f} s",
        "Valkey, for who is here": f"{people * it['valkey'] / GIB:,.2f} GiB",
        "new rows a day": f"{messages * HOURS * 3600 * it['message'] / GIB:,.1f} GiB",
    }


def page() -> str:
    """As it should be."""
    return MARKS.sub(lambda _found: text(), PAGE.read_text())


def main() -> None:
    PAGE.write_text(page())


if __name__ == "__main__":
    main()
