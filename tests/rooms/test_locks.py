import pytest
from django.conf import settings

import core.redis
from rooms import locks
from rooms.locks import room_lock


@pytest.fixture
def redis():
    client = core.redis.client(settings.REDIS_URL)
    client.delete(KEY)
    yield client
    client.delete(KEY)
    client.close()


ROOM = 4711
KEY = f"chattalk:door:{ROOM}"


def test_the_lock_is_held_and_given_back(redis):
    with room_lock(ROOM) as held:
        assert held and redis.pttl(KEY) <= locks.LEASE_SECONDS * 1000
    assert not redis.exists(KEY)


def test_a_strangers_lock_is_never_released(redis):
    with room_lock(ROOM):
        redis.set(KEY, "a stranger's token")  # our lease ended, somebody else is in
    assert redis.get(KEY) == b"a stranger's token"


def test_the_dead_hold_it_no_longer_than_their_lease(redis):
    redis.set(KEY, "of the dead", px=200)
    with room_lock(ROOM) as held:
        assert held


def test_nobody_waits_longer_than_the_bound(redis, settings):
    settings.SEAT_WAIT_SECONDS = 0.2
    redis.set(KEY, "for ever")
    with room_lock(ROOM) as held:
        assert not held  # the work goes on: the database decides


def test_without_redis_the_work_goes_on_and_only_the_first_waits_for_it(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1"
    with room_lock(ROOM) as held:
        assert not held
    assert settings.REDIS_BREAKER.answers.is_down
    with room_lock(ROOM) as held:
        assert not held


def test_an_error_inside_gives_the_lock_back(redis):
    with pytest.raises(ZeroDivisionError), room_lock(ROOM):
        raise ZeroDivisionError
    assert not redis.exists(KEY)
