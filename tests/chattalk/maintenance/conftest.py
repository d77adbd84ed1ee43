from uuid import uuid4

import pytest

from messaging import log, services
from messaging.live.drafts import Draft
from messaging.log.event import Person
from presence import stored


@pytest.fixture
def say():
    def say(room, user, body="hello"):
        draft = Draft(room.pk, Person(user.pk, user.display_name), uuid4(), body)
        [(_room_id, head_before, _at)] = log.rows(log.POST, log.post_params([draft]))
        return head_before + 1

    return say


@pytest.fixture
def room(transactional_db, alice, bob, say):
    stored.clear()
    room = services.open_room(alice, title="Tea", capacity=3)
    services.join(room.pk, bob)
    for n in range(5):
        say(room, (alice, bob)[n % 2], f"{n}")
    yield room
    stored.clear()
