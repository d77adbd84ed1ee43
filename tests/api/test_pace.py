"""Rate limits: per person, per address for nobody, over all processes, and none without Redis."""

from uuid import uuid4

import pytest
from redis.exceptions import ConnectionError

from accounts import addresses


@pytest.fixture(autouse=True)
def own_counts(monkeypatch):
    """Not those of other tests at the same address."""
    mark = f"2001:db8:{uuid4().hex[:4]}:{uuid4().hex[:4]}::"
    monkeypatch.setattr(addresses, "of", lambda request: mark)


def test_a_person_is_told_the_limit_and_when_it_ends(as_bob, as_charlie, settings):
    settings.API_RATE = 3
    answers = [as_bob("GET", "me/") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[0]["RateLimit-Policy"] == '"person";q=3;w=60'
    assert [answer["RateLimit"].split(";")[1] for answer in answers] == ["r=2", "r=1", "r=0", "r=0"]
    assert 55 <= int(answers[3]["Retry-After"]) <= 61
    assert answers[3].json()["code"] == "rate_limited"
    assert as_charlie("GET", "me/").status_code == 200  # at the same address


def test_nobody_is_limited_by_address(as_nobody, settings):
    settings.API_RATE_NOBODY = 2
    answers = [as_nobody("POST", "tokens/", {}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [400, 400, 429]
    assert answers[2]["RateLimit-Policy"] == '"address";q=2;w=60'


def test_without_redis_requests_go_on(as_bob, settings, monkeypatch):
    """That nobody waits for it is tests/chattalk/test_patience.py's."""
    settings.API_RATE = 1

    def down(*_ignored):
        raise ConnectionError("gone")

    monkeypatch.setattr("limits.strategies.MovingWindowRateLimiter.hit", down)
    assert [as_bob("GET", "me/").status_code for _ in range(3)] == [200, 200, 200]
