"""What the relay to Kafka does in a second, beside one that writes and waits for each line, and how
late a line is there: `make bench-kafka`.

On servers of its own, which go afterwards: PostgreSQL as `manage.py up` runs it, and a real broker.
The two take turns on the same lines, so what else the machine does is the same for both. The
result stands in bench/results/kafka.json and docs/kafka.md.
"""

import argparse
import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import kafka
from bench.filled import fill, site
from bench.servers import ROOT

SIZES = {"people": 1_000, "rooms": 500, "lines": 800, "seats": 20}
NAIVE_LINES = 3_000  # it takes a second for few
TURNS = 3
A_SECOND, SAID = 10, 300  # messages, while it is looked at how late they come
GOALS = {"ratio": 20, "rate": 25_000, "p99": 100}
RESULT = ROOT / "bench" / "results" / "kafka.json"
PAGE = ROOT / "docs" / "kafka.md"
TABLE = re.compile(r"(<!-- bench -->\n).*?(<!-- end of bench -->)", re.DOTALL)


def naive(topic: str, most: int) -> float:
    """Lines a second of one that asks for the next lines, and writes each and waits for it."""
    from confluent_kafka import Producer

    from interfaces.kafka import records
    from messaging import log
    from rooms.models import Room

    producer = Producer({"bootstrap.servers": os.environ["KAFKA_URL"].removeprefix("kafka://")})
    rooms = list(Room.objects.order_by("pk").values_list("pk", flat=True)[:8])
    began, done = time.monotonic(), 0
    for room, page in log.next_rows(dict.fromkeys(rooms, 0), limit=most // len(rooms)).items():
        for row in page.rows:
            producer.produce(topic, records.line(room, row), records.key(room))
            producer.flush()
            done += 1
    return done / (time.monotonic() - began)


async def ours(topic: str) -> float:
    """Lines a second of the relay, from nothing to the end of all logs."""
    from django.conf import settings

    from interfaces.kafka import topics
    from interfaces.kafka.relay import Relay

    settings.KAFKA_TOPIC = topic
    topics.make(topic, topics.positions())
    began = time.monotonic()
    lines = await Relay().run_once()
    took = time.monotonic() - began
    assert lines == SIZES["rooms"] * SIZES["lines"], lines
    return lines / took


def rates() -> dict[str, Any]:
    from interfaces.kafka import topics

    topics.make("naive")
    found: dict[str, list[float]] = {"naive": [], "ours": []}
    for turn in range(TURNS):
        found["naive"].append(naive("naive", NAIVE_LINES))
        found["ours"].append(asyncio.run(ours(f"ours-{turn}")))
        print({name: round(each[-1]) for name, each in found.items()}, file=sys.stderr)
    return {name: statistics.median(each) for name, each in found.items()}


@contextmanager
def relaying(topic: str) -> Iterator[None]:
    """`manage.py relay`, as it runs beside a site."""
    environment = os.environ | {"KAFKA_TOPIC": topic}
    command = [sys.executable, "manage.py", "relay"]
    child = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        yield
    finally:
        child.terminate()
        child.wait(30)


class Reader(threading.Thread):
    """Another client: when each line of a room came to it."""

    def __init__(self, topic: str, room: int) -> None:
        super().__init__(daemon=True)
        self._topic, self._room = topic, room
        self.came: dict[int, float] = {}
        self.over = threading.Event()

    def run(self) -> None:
        from interfaces.kafka import clients

        reading = clients.consumer(group_id="bench", auto_offset_reset="latest")
        reading.subscribe([self._topic])
        while not self.over.is_set():
            message = reading.poll(0.1)
            if message is not None and message.error() is None:
                value = json.loads(message.value())
                if value["room"] == self._room:
                    self.came[value["seq"]] = time.monotonic()
        reading.close()


async def lags(topic: str) -> list[float]:
    """Seconds from each COMMIT to when a reader has the line, sorted."""
    from accounts.models import User
    from messaging import services
    from messaging.live import node
    from messaging.log.event import Person
    from rooms.models import Membership

    seat = await Membership.objects.filter(room__closed_at=None).order_by("pk").afirst()
    person = Person((await User.objects.aget(pk=seat.user_id)).pk, "")
    await node.current().start()
    reader, stored = Reader(topic, seat.room_id), {}
    reader.start()
    with relaying(topic):
        while not reader.came:  # until both of them work
            await services.apost(seat.room_id, person, "anyone?", is_limited=False)
            await asyncio.sleep(0.2)
        for _ in range(SAID):
            receipt = await services.apost(seat.room_id, person, "hello", is_limited=False)
            stored[receipt.seq] = time.monotonic()
            await asyncio.sleep(1 / A_SECOND)
        while not stored.keys() <= reader.came.keys():
            await asyncio.sleep(0.1)
    reader.over.set()
    reader.join()
    await node.close()
    return sorted(reader.came[seq] - at for seq, at in stored.items())


def measure() -> dict[str, Any]:
    found = rates()
    late = [1000 * each for each in asyncio.run(lags(f"ours-{TURNS - 1}"))]
    cuts = statistics.quantiles(late, n=100)
    return {
        "lines": SIZES["rooms"] * SIZES["lines"],
        "naive": round(found["naive"]),
        "ours": round(found["ours"]),
        "ratio": round(found["ours"] / found["naive"], 1),
        "lag_ms": {"p50": round(cuts[49], 1), "p95": round(cuts[94], 1), "p99": round(cuts[98], 1)},
        "load": round(os.getloadavg()[0], 1),
        "cores": os.cpu_count(),
    }


def table(found: dict[str, Any]) -> str:
    late = found["lag_ms"]
    return (
        f"| on {found['cores']} cores, load {found['load']} | measured | goal |\n|---|---|---|\n"
        f"| one write and flush per line | {found['naive']:,} lines/s | |\n"
        f"| the relay, {found['lines']:,} lines of {SIZES['rooms']} rooms | "
        f"{found['ours']:,} lines/s | {GOALS['rate']:,} |\n"
        f"| as many times as fast | {found['ratio']} | {GOALS['ratio']} |\n"
        f"| from COMMIT to a reader, at {A_SECOND} messages/s: p50, p95, p99 | "
        f"{late['p50']}, {late['p95']}, {late['p99']} ms | p99 {GOALS['p99']} ms |\n"
    )


def main() -> int:
    argparse.ArgumentParser(description=__doc__).parse_args()
    if missing := kafka.missing():
        sys.exit(missing)
    with tempfile.TemporaryDirectory(prefix="chattalk-kafka-") as folder:
        broker = kafka.Kafka(Path(folder), memory="1g")
        broker.format()
        broker.start()
        broker.wait()
        try:
            with site(KAFKA_URL=broker.url):
                fill(SIZES)
                found = measure()
        finally:
            broker.stop()
    RESULT.write_text(json.dumps(found, indent=2) + "\n")
    PAGE.write_text(TABLE.sub(lambda old: old[1] + table(found) + old[2], PAGE.read_text()))
    print(table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
