"""Redis is started anew under many processes: each of them hears again, however short it was.

With the queue-based layer of channels_redis nine of ten stay connected and deaf after a restart
that is over before they ask, and the outage that breaks all of their connections heals all.
"""

import asyncio
import time
from contextlib import asynccontextmanager

import pytest
from django.conf import settings

from chattalk.embedded import data_dir
from chattalk.embedded.valkey import Valkey
from messaging.live import broker
from messaging.live.broker import Broker
from messaging.live.channel_layer import PubSubLayer
from tests.messaging.stores import bring_back, kill

ROOM = 7
PROCESSES = 10
HEARS_WITHIN = 15.0  # seconds, on a busy machine


@pytest.fixture(scope="module")
def valkey(tmp_path_factory):
    data = tmp_path_factory.mktemp("layer")
    data_dir.make_folder(data / "log", 0o700)
    data_dir.make_socket_folder(data)
    server = Valkey(data)
    server.start()
    server.wait()
    yield server
    server.process.stop()


@asynccontextmanager
async def processes(url, monkeypatch):
    """What each of ten processes hears of the room, by its number; and one that tells."""
    configured = settings.CHANNEL_LAYERS["default"]["CONFIG"]
    hosts = [configured["hosts"][0] | {"address": url}]
    monkeypatch.setattr(broker, "get_channel_layer", lambda: PubSubLayer(hosts=hosts, prefix="t"))
    heard = {number: [] for number in range(PROCESSES)}
    sides = [
        Broker(f"{number}", lambda _room, told, number=number: heard[number].append(told["n"]))
        for number in heard
    ]
    teller = Broker("teller", lambda *_: None)
    for side in sides:
        await side.join(ROOM)
    yield heard, teller
    for side in (*sides, teller):
        await side.close()


async def all_hear(heard, teller, first):
    """It is told again and again, as people go on talking, until each has heard since."""
    deadline, number = time.monotonic() + HEARS_WITHIN, first
    while not all(any(n >= first for n in told) for told in heard.values()):
        assert time.monotonic() < deadline, [
            n for n, told in heard.items() if max(told, default=-1) < first
        ]
        teller.publish(ROOM, {"type": "typing", "n": number})
        number += 1
        await asyncio.sleep(0.1)
    return number


@pytest.mark.parametrize("outage", [0.0, 1.5], ids=["at once", "after 1.5 s"])
async def test_each_process_hears_again_after_a_restart(valkey, monkeypatch, caplog, outage):
    async with processes(valkey.url(), monkeypatch) as (heard, teller):
        number = await all_hear(heard, teller, 0)
        kill(valkey)
        await asyncio.sleep(outage)
        bring_back(valkey)  # here, for it ends with the thread that started it
        await all_hear(heard, teller, number)
