"""For each line `room user`: a process takes the room's lock and a seat that is not committed, says
which process it is, and waits to be killed. It is forked here, where Django has started already."""

import os
import sys
import time

import django

django.setup()

from django.db import transaction  # noqa: E402

from rooms import locks, services  # noqa: E402

locks.LEASE_SECONDS = 0.3


def hold(room_id: int, user_id: int) -> None:
    with locks.room_lock(room_id) as held, transaction.atomic():
        services.seat(room_id, [user_id])
        print(f"held {os.getpid()}" if held else "not held", flush=True)
        time.sleep(60)


for line in sys.stdin:
    if not os.fork():
        hold(*map(int, line.split()))
        os._exit(1)
    os.wait()
