"""People, rooms and seats, by plain SQL: thousands in no time."""

from collections.abc import Sequence

import psycopg

PEOPLE = """
INSERT INTO accounts_user (password, is_superuser, email, display_name, phone, language,
                           is_active, is_staff, date_joined)
SELECT %(password)s, false, %(name)s || n || '@test.com', 'Test ' || n, '', '', true, false, now()
FROM generate_series(1, %(many)s) n RETURNING id"""
ROOMS = """
INSERT INTO rooms_room (title, description, owner_id, capacity, personnel, last_seq)
SELECT 'Room ' || n, '', %(owner)s, %(capacity)s, 0, 0
FROM generate_series(1, %(many)s) n RETURNING id"""
SEATS = """
INSERT INTO rooms_membership (room_id, user_id, role, read_seq)
SELECT r.id, u, CASE WHEN u = r.owner_id THEN 'owner' ELSE 'member' END, 0
FROM rooms_room r, unnest(%(people)s::bigint[]) u WHERE r.id = ANY (%(rooms)s::bigint[])"""
TAKEN = "UPDATE rooms_room SET personnel = %(many)s WHERE id = ANY (%(rooms)s::bigint[])"


def people(
    database: psycopg.Connection, many: int, password: str = "!", name: str = "test"
) -> list[int]:
    """name1@test.com and so on; `password` as it is kept."""
    found = database.execute(PEOPLE, {"many": many, "password": password, "name": name})
    return [row[0] for row in found]


def rooms(database: psycopg.Connection, owner: int, many: int, capacity: int) -> list[int]:
    found = database.execute(ROOMS, {"many": many, "owner": owner, "capacity": capacity})
    return [row[0] for row in found]


def seat(database: psycopg.Connection, room_ids: Sequence[int], person_ids: Sequence[int]) -> None:
    database.execute(SEATS, {"rooms": list(room_ids), "people": list(person_ids)})
    database.execute(TAKEN, {"rooms": list(room_ids), "many": len(person_ids)})
