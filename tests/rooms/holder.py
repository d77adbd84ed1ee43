"""Takes a room's lock and a seat that is not committed, says so, and waits to be killed."""

import sys
import time

import django

django.setup()

from django.db import transaction  # noqa: E402

from rooms import locks, services  # noqa: E402

locks.LEASE_SECONDS = 0.3
room_id, user_id = map(int, sys.argv[1:])
with locks.room_lock(room_id) as held, transaction.atomic():
    services.seat(room_id, [user_id])
    print("held" if held else "not held", flush=True)
    time.sleep(60)
