"""How long threads wait for Redis: a real socket that answers nothing, and one that does."""

import socket
import threading
import time

import pytest
from django_redis import get_redis_connection
from redis import Redis
from redis.exceptions import ConnectionError, TimeoutError

from core.redis import RedisBreaker, breaker
from presence import counts
from rooms import locks


@pytest.fixture
def mute():
    """It accepts, as the kernel does for a process that stands still, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def client(port, one):
    return Redis(port=port, socket_timeout=0.1, socket_connect_timeout=0.1, retry=one)


def test_what_one_client_learns_all_know_and_wait_no_more(mute):
    one = RedisBreaker()
    port = mute.getsockname()[1]
    with pytest.raises(TimeoutError):
        client(port, one).get("a")
    assert one.answers.is_down
    with pytest.raises(ConnectionError, match="left alone"):
        client(port, one).get("a")


def test_after_the_break_one_tries_and_the_others_do_not(mute, monkeypatch):
    monkeypatch.setattr(breaker, "BREAK_SECONDS", 0.3)
    one = RedisBreaker()
    redis = client(mute.getsockname()[1], one)
    with pytest.raises(TimeoutError):
        redis.get("a")
    time.sleep(0.35)
    errors = []

    def ask():
        try:
            redis.get("a")
        except (TimeoutError, ConnectionError) as error:
            errors.append(type(error))

    threads = [threading.Thread(target=ask) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(error.__name__ for error in errors) == ["ConnectionError"] * 9 + ["TimeoutError"]


def test_one_answer_is_enough_to_go_on(mute, monkeypatch, settings):
    monkeypatch.setattr(breaker, "BREAK_SECONDS", 0.0)
    one = RedisBreaker()
    with pytest.raises(TimeoutError):
        client(mute.getsockname()[1], one).get("a")
    one.answers.seconds = 60.0  # of who tries, until the answer
    with Redis.from_url(settings.REDIS_URL, retry=one) as redis:
        redis.ping()
    assert not one.answers.is_down


def test_who_insists_asks_in_any_case(mute, settings):
    one = RedisBreaker()
    with pytest.raises(TimeoutError):
        client(mute.getsockname()[1], one).get("a")
    with Redis.from_url(settings.REDIS_URL, retry=one) as redis, one.insisting():
        assert redis.ping()


def tries_again(client):
    return client.connection_pool.make_connection().retry.get_retries()


def test_by_an_address_redis_py_tries_nothing_again_and_ours_each_say_how_often(settings):
    """What it promises of itself is for `Redis(host=…)` alone."""
    assert tries_again(Redis(host="127.0.0.1")) == 3
    assert tries_again(Redis.from_url(settings.REDIS_URL)) == 0
    for client in (locks._redis, counts._redis):
        assert tries_again(client(settings.REDIS_URL)) == 1
    for alias in ("default", "tokens"):
        assert tries_again(get_redis_connection(alias)) == 1
