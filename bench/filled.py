"""A site full of people, rooms and lines, on servers of its own, to measure in."""

import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

# In this order. Sizes: `people`, `rooms`, `seats` and `lines` of a room.
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
def site(*, durable: bool = True, **environment: str) -> Iterator[None]:
    """Empty, and Django ready to use it; all of it goes afterwards."""
    from chattalk.embedded import Servers

    with tempfile.TemporaryDirectory(prefix="chattalk-bench-") as folder:
        Path(folder).chmod(0o755)
        servers = Servers(Path(folder), {}, durable=durable)
        try:
            os.environ |= servers.start() | environment
            os.environ |= {"CHATTALK_DATA": folder, "DJANGO_SETTINGS_MODULE": "chattalk.settings"}
            import django

            django.setup()
            yield
        finally:
            servers.stop()


def fill(sizes: Mapping[str, int], before: Iterable[tuple[str, str]] = ()) -> None:
    """FILL in these sizes, on an empty database; with `before`, one that was migrated only so far
    as (app, migration) say."""
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    for app, name in before:
        call_command("migrate", app, name, verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        for what, statement in FILL.items():
            print(f"making {what} …", file=sys.stderr, flush=True)
            cursor.execute(statement, sizes)
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("RESET statement_timeout")
