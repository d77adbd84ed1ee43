"""Database time of the admin's pages, with 10,000 rooms and 1,000,000 lines: `make bench-admin`.

On a database of its own, which goes afterwards. Each page is asked for TIMES times with nothing
cached; what counts is the time that its statements took, as Django measures it.
"""

import statistics
import sys

from bench.filled import fill, site

PEOPLE, ROOMS, LINES, SEATS = 20_000, 10_000, 100, 20
TIMES = 5
LIMIT_MS = 100
BACKEND = "django.contrib.auth.backends.ModelBackend"


def pages() -> list[str]:
    from accounts.models import User
    from rooms.models import Room

    rooms, people = "/admin/rooms/room/", "/admin/accounts/user/"
    asked = ["q=room+77", "q=person+9", "state=closed", "seats=full", "active=day", "p=100"]
    asked += [f"o={column}" for column in (1, 2, 3, 4, 6, 7)]
    room = Room.objects.filter(personnel=SEATS).earliest("pk")
    person = User.objects.filter(owned_rooms__isnull=False).earliest("pk")
    return [
        "/admin/",
        rooms,
        *(f"{rooms}?{query}" for query in asked),
        f"{rooms}{room.pk}/change/",
        people,
        *(f"{people}?o={column}" for column in (1, 2, 5, 6)),
        f"{people}?q=p77",
        f"{people}{person.pk}/change/",
    ]


def measure(address: str, client: object) -> tuple[int, float, float]:
    """How many statements; their milliseconds together, in the median and at worst."""
    from django.core.cache import cache
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    times = []
    for _ in range(TIMES):
        cache.clear()
        client.force_login(client.boss, backend=BACKEND)  # the session was in the cache, too
        with CaptureQueriesContext(connection) as statements:
            answer = client.get(address)
        assert answer.status_code == 200, (address, answer.status_code)
        times.append(1000 * sum(float(one["time"]) for one in statements.captured_queries))
    return len(statements), statistics.median(times), max(times)


def main() -> int:
    with site(durable=False, ALLOWED_HOSTS="testserver"):
        fill({"people": PEOPLE, "rooms": ROOMS, "lines": LINES, "seats": SEATS})
        from django.test import Client

        from accounts.models import User

        client = Client()
        client.boss = User.objects.create_superuser("boss@example.com", display_name="Boss")
        print(f"{'page':34} statements  median ms  worst ms")
        slow = []
        for address in pages():
            count, median, worst = measure(address, client)
            print(f"{address.removeprefix('/admin'):34} {count:10} {median:10.1f} {worst:9.1f}")
            slow += [address] if median > LIMIT_MS else []
    print(f"over {LIMIT_MS} ms: {', '.join(slow) or 'none'}")
    return bool(slow)


if __name__ == "__main__":
    sys.exit(main())
