"""Some trackers in one event loop, each a server process as far as Redis and MongoDB can tell."""

import asyncio
import json
from datetime import UTC, datetime

from django.conf import settings

from core import redis
from presence import farewells, last_seen
from presence.timings import Timings
from presence.tracker import Tracker

# As in earnest, but shorter. A lease of seconds: a busy machine must not look like a dead one.
TIMINGS = Timings(grace=0.4, gather=0.02, gap=0.1, beat=0.2, lease=2.0, audit=0.5, retry=0.1)


def utc():
    return datetime.now(UTC)


async def until(check, within=15.0):
    """The first true answer; a bound, no guess at how long it takes."""
    loop = asyncio.get_running_loop()
    end = loop.time() + within
    while True:
        answer = check()
        if asyncio.iscoroutine(answer):
            answer = await answer
        if answer:
            return answer
        assert loop.time() < end, f"not within {within} s"
        await asyncio.sleep(0.02)


class Server:
    """A process, and one watcher of its frames who does as docs/wire.md tells clients to."""

    def __init__(self, cluster, name, timings):
        self.cluster, self.frames, self.people, self.count = cluster, [], {}, 0
        self.degraded = None
        self.told = []
        self.tracker = Tracker(tell=self.tell, show=self.show, process=name, timings=timings)

    def tell(self, room_id, change):
        self.told.append(change)
        self.cluster.tell(self, room_id, json.dumps(change))

    def show(self, room_id, frame):
        assert (frame["type"], frame["room"]) == ("presence", room_id)
        self.frames.append(frame)
        self.count, self.degraded = frame["count"], frame["degraded"]
        if frame["full"]:
            self.people = {one["id"]: one["name"] for one in frame["here"]}
        self.people |= {one["id"]: one["name"] for one in frame.get("came", [])}
        for one in frame.get("went", []):
            self.people.pop(one["id"], None)

    async def watch(self, room_id, user_id, name):
        self.tracker.track(room_id, user_id, name)
        self.show(room_id, await self.tracker.snapshot(room_id))
        self.frames.clear()

    async def die(self):
        """As by `kill -9`: not a word to anybody."""
        await self.tracker.close()
        self.cluster.servers.remove(self)


class Cluster:
    def __init__(self):
        self.servers = []
        self.deliver = True

    async def open(self, name, timings=TIMINGS):
        server = Server(self, name, timings)
        self.servers.append(server)
        await server.tracker.start()
        return server

    async def close(self):
        await asyncio.gather(*(server.tracker.stop() for server in self.servers))

    async def empty(self):
        async with redis.async_client(settings.REDIS_URL) as client:
            await client.flushall()
        last_seen.connect()
        await asyncio.to_thread(last_seen.Attendance.objects.delete)
        await asyncio.to_thread(last_seen.ProcessHeartbeat.objects.delete)
        while left := await asyncio.to_thread(farewells.one):
            await asyncio.to_thread(farewells.forget, left[0])

    def tell(self, teller, room_id, change):
        for server in self.servers if self.deliver else []:
            if server is not teller:
                heard = server.tracker.hear
                asyncio.get_running_loop().call_soon(heard, room_id, json.loads(change))


async def document(room_id, user_id):
    found = await asyncio.to_thread(last_seen.find, room_id, [user_id])
    return found[0] if found else None
