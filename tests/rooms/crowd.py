"""A server process's share of a crowd at a door, for test_seats.py: run as a script.

Reads lines `room_id first_user_id last_user_id`, lets all of them join at once, and answers with
one JSON object: how many were let in, and how often each refusal was given.
"""

import json
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import django

django.setup()

from django.core.exceptions import ValidationError  # noqa: E402
from django.db import connection  # noqa: E402

from accounts.models import User  # noqa: E402
from messaging import services  # noqa: E402


def join(room_id: int, user_id: int) -> str:
    try:
        services.join(room_id, User(pk=user_id))
        return "seated"
    except ValidationError as refusal:
        return refusal.code or "unnamed"
    finally:
        connection.close()


def main() -> None:
    with ThreadPoolExecutor(100) as crowd:
        print("ready", flush=True)
        for line in sys.stdin:
            room_id, first, last = map(int, line.split())
            outcomes = crowd.map(lambda user: join(room_id, user), range(first, last + 1))  # noqa: B023
            print(json.dumps(Counter(outcomes)), flush=True)


main()
