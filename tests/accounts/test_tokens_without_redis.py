"""Access tokens while Redis, where what is known of them is kept, is away."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import devices, token_cache, tokens
from tests.accounts.conftest import waiting_for


def redis_elsewhere(configured):
    nowhere = configured["tokens"] | {"LOCATION": "redis://127.0.0.1:1/0"}
    return configured | {"tokens": nowhere}


@pytest.fixture
def redis_down(settings):
    """Where the cache should be, nothing listens."""
    settings.CACHES = redis_elsewhere(settings.CACHES)


def test_without_redis_tokens_are_verified_all_the_same(transactional_db, alice, pair, redis_down):
    assert tokens.verify(pair.access).user == alice
    with CaptureQueriesContext(connection) as queries:
        tokens.verify(pair.access)
    assert len(queries) == 1
    devices.revoke(alice.pk, pair.device_id)
    with pytest.raises(tokens.NotValid):
        tokens.verify(pair.access)


def test_a_sign_in_that_ended_while_redis_was_away_is_over_when_it_is_back(
    transactional_db, alice, pair, settings, monkeypatch
):
    """Redis stood still, and comes back with what it knew before."""
    monkeypatch.setattr(token_cache, "RETRY_SECONDS", 0.05)
    tokens.verify(pair.access)
    right, wrong = settings.CACHES, redis_elsewhere(settings.CACHES)
    settings.CACHES = wrong
    devices.revoke(alice.pk, pair.device_id)
    settings.CACHES = right

    def is_over():
        try:
            tokens.verify(pair.access)
        except tokens.NotValid:
            return True
        return False

    waiting_for(is_over)
