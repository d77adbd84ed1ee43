"""How long a writer waits while a million messages are migrated: `make bench-migrations`.

On servers of its own, which go afterwards: PostgreSQL as `manage.py up` runs it. The database is
filled as it was before the last migrations, then `manage.py migrate` runs while one writer posts
and one reader holds the tables for some seconds, as a backup does.
"""

import argparse
import contextlib
import io
import sys
import threading
import time
from typing import Any
from uuid import uuid4

from bench.filled import fill, site

PEOPLE, ROOMS, SEATS = 100_000, 10_000, 20
BEFORE = [("messaging", "0002"), ("rooms", "0001"), ("accounts", "0002")]
POSTS_A_SECOND = 20
LONGEST_SECONDS = 1.0  # that a post may wait
READER_SECONDS = 3.0


def write(over: threading.Event, waits: list[float]) -> None:
    """As the site's writer does it; the waits in seconds."""
    from django.db import connection

    from messaging import log
    from messaging.live.drafts import Draft
    from messaging.log.event import Person
    from rooms.models import Membership

    seats = Membership.objects.order_by("pk").values_list("room_id", "user_id")[:1000]
    people = [(room, Person(user, "")) for room, user in seats]
    while not over.wait(1 / POSTS_A_SECOND):
        room, person = people[len(waits) % len(people)]
        began = time.monotonic()
        log.rows(log.POST, log.post_params([Draft(room, person, uuid4(), "hello")]))
        waits.append(time.monotonic() - began)
    connection.close()


def read() -> None:
    from django.db import connection, transaction

    from accounts.models import User
    from messaging.models import Event
    from rooms.models import Room

    with transaction.atomic():
        for model in (User.objects.only("pk"), Room.objects.only("pk"), Event.objects.only("pk")):
            model.first()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(%s)", [READER_SECONDS])
    connection.close()


def measure() -> dict[str, Any]:
    from django.core.management import call_command

    waits: list[float] = []
    over, said = threading.Event(), io.StringIO()
    writer = threading.Thread(target=write, args=(over, waits))
    reader = threading.Thread(target=read)
    writer.start()
    time.sleep(2)
    usual = max(waits)
    reader.start()
    time.sleep(0.5)
    began = time.monotonic()
    with contextlib.redirect_stdout(said):
        call_command("migrate", verbosity=0)
    took = time.monotonic() - began
    reader.join()
    over.set()
    writer.join()
    return {
        "took": took,
        "tries": said.getvalue().count("trying again"),
        "posts": len(waits),
        "usual": usual,
        "longest": max(waits),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=1_000_000)
    messages = parser.parse_args().messages
    with site():
        sizes = {"people": PEOPLE, "rooms": ROOMS, "lines": messages // ROOMS, "seats": SEATS}
        fill(sizes, BEFORE)
        found = measure()
    print(
        f"{messages:,} messages, {PEOPLE:,} people, {ROOMS:,} rooms: "
        f"migrated in {found['took']:.1f} s ({found['tries']} tries in vain while "
        f"a reader held the tables for {READER_SECONDS:.0f} s).\n"
        f"Of {found['posts']} posts the longest waited {1000 * found['longest']:.0f} ms"
        f" ({1000 * found['usual']:.0f} ms before)."
    )
    return found["longest"] > LONGEST_SECONDS


if __name__ == "__main__":
    sys.exit(main())
