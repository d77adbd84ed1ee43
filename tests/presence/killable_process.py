"""A process to be killed, which holds people in a room:

    python -m tests.presence.killable_process NAME ROOM USER…

It says "here" once MongoDB knows them. It never goes by itself.
"""

import asyncio
import os
import sys

from django.conf import settings

from core.redis import EndedConnections

settings.configure(
    REDIS_URL=os.environ["REDIS_URL"],
    REDIS_ENDED=EndedConnections(again=1),
    MONGODB_URL=os.environ["MONGODB_URL"],
)

from presence.tracker import Tracker  # noqa: E402  (it reads the settings)
from tests.presence.cluster import TIMINGS, document, until  # noqa: E402


async def main(name, room_id, *user_ids):
    tracker = Tracker(
        tell=lambda *told: None, show=lambda *shown: None, process=name, timings=TIMINGS
    )
    await tracker.start()
    for user_id in user_ids:
        tracker.track(room_id, user_id, f"Person {user_id}")
    await until(lambda: all_stored(room_id, user_ids))
    print("here", flush=True)
    await asyncio.Event().wait()


async def all_stored(room_id, user_ids):
    found = [await document(room_id, user_id) for user_id in user_ids]
    return all(one and one.online for one in found)


asyncio.run(main(sys.argv[1], *map(int, sys.argv[2:])))
