"""Database time of the admin's pages, with 10,000 rooms and 1,000,000 lines: `make bench-admin`.

On a database of its own, which goes afterwards. Each page is asked for TIMES times with nothing
cached; what counts is the time that its statements took, as Django measures it.
"""

import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PEOPLE, ROOMS, LINES, SEATS = 20_000, 10_000, 100, 20
TIMES = 5
LIMIT_MS = 100
BACKEND = "django.contrib.auth.backends.ModelBackend"

FILL = {
    "people": """
        INSERT INTO accounts_user (password, is_superuser, email, display_name, phone, language,
                                   is_active, is_staff, date_joined)
        SELECT '!', false, 'p' || n || '@example.com', 'Person ' || n, '', '', true, false,
               now() - n * interval '1 minute'
        FROM generate_series(1, %(people)s) n""",
    "rooms": """
        INSERT INTO rooms_room (title, description, owner_id, capacity, personnel, last_seq,
                                active_at, closed_at)
        SELECT 'Room ' || n, '', (SELECT min(id) FROM accounts_user) + n, %(seats)s,
               n %% %(seats)s + 1, %(lines)s, now() - n * interval '1 minute',
               CASE WHEN n %% 10 = 0 THEN now() END
        FROM generate_series(1, %(rooms)s) n""",
    "seats": """
        INSERT INTO rooms_membership (room_id, user_id, role, read_seq)
        SELECT r.id, r.owner_id + g - 1, CASE WHEN g = 1 THEN 'owner' ELSE 'member' END, 0
        FROM rooms_room r, generate_series(1, %(seats)s) g WHERE g <= r.personnel""",
    "lines": """
        INSERT INTO messaging_event (room_id, seq, kind, sender_id, client_id, body, created_at)
        SELECT r.id, q, 'message', r.owner_id, gen_random_uuid(), 'hello there, how are you all',
               now() - (%(lines)s - q) * interval '15 minutes' - (r.id %% 900) * interval '1 second'
        FROM generate_series(1, %(lines)s) q, rooms_room r ORDER BY 7""",
}


@contextmanager
def site() -> Iterator[None]:
    """Servers of our own, migrated, and Django ready to use them."""
    sys.path.insert(0, str(ROOT))
    from chattalk.embedded import Servers

    with tempfile.TemporaryDirectory(prefix="chattalk-bench-") as folder:
        Path(folder).chmod(0o755)
        servers = Servers(Path(folder), {}, durable=False)
        try:
            os.environ.update(servers.start())
            os.environ |= {"CHATTALK_DATA": folder, "ALLOWED_HOSTS": "testserver"}
            os.environ |= {"DJANGO_SETTINGS_MODULE": "chattalk.settings"}
            import django

            django.setup()
            yield
        finally:
            servers.stop()


def fill() -> None:
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    sizes = {"people": PEOPLE, "rooms": ROOMS, "lines": LINES, "seats": SEATS}
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        for what, statement in FILL.items():
            print(f"making {what} …", file=sys.stderr, flush=True)
            cursor.execute(statement, sizes)
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("RESET statement_timeout")


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
    with site():
        fill()
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
