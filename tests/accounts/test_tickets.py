"""One socket, once, for half a minute."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django_redis import get_redis_connection

from accounts import devices, tickets, tokens
from tests.accounts.conftest import sign_in_device


@pytest.fixture
def identity(alice):
    return tokens.verify(sign_in_device(alice).access)


def redeemed(ticket):
    try:
        return tickets.redeem(ticket).user.pk
    except tokens.NotValid:
        return None
    finally:
        connection.close()


def test_a_ticket_is_good_once(alice, identity):
    ticket = tickets.issue(identity)
    assert tickets.redeem(ticket) == identity
    with pytest.raises(tokens.NotValid):
        tickets.redeem(ticket)


def test_of_twenty_with_the_same_ticket_one_comes_in(transactional_db, alice, identity):
    ticket = tickets.issue(identity)
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(redeemed, [ticket] * 20))
    assert sorted(answers, key=str) == [alice.pk] + [None] * 19


def test_it_lives_half_a_minute_and_is_not_kept_as_it_is(identity):
    redis = get_redis_connection("tokens")
    ticket = tickets.issue(identity)
    keys = [key for key in redis.scan_iter("*ticket:*") if redis.ttl(key) > 0]
    assert keys and all(redis.ttl(key) <= 30 for key in keys)
    assert not any(ticket.encode() in key for key in keys)


def test_it_ends_with_its_device(alice, identity):
    ticket = tickets.issue(identity)
    devices.revoke(alice.pk, identity.device_id)
    with pytest.raises(tokens.NotValid):
        tickets.redeem(ticket)


@pytest.mark.parametrize("ticket", ["", "x", "\0", "\ud800", "x" * 100_000])
def test_nonsense_is_nobodys(db, ticket):
    with pytest.raises(tokens.NotValid):
        tickets.redeem(ticket)
