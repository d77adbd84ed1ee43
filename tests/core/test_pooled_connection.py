"""A connection that was there a moment ago is not asked whether it is."""

from contextlib import contextmanager

import pytest
from django.db import connection
from psycopg_pool import ConnectionPool

from core.postgresql import pool as module
from core.postgresql.base import DatabaseWrapper
from core.postgresql.pool import PooledConnection


@pytest.fixture
def asked(monkeypatch):
    """How often a connection was asked whether it is there."""
    found, ask = [], ConnectionPool.check_connection

    def counted(one):
        found.append(one)
        ask(one)

    monkeypatch.setattr(ConnectionPool, "check_connection", staticmethod(counted))
    return found


@contextmanager
def pooled():
    settings = connection.settings_dict
    options = {**settings["OPTIONS"], "pool": {"min_size": 1, "max_size": 1, "timeout": 3}}
    wrapper = DatabaseWrapper({**settings, "OPTIONS": options}, alias="pooled")
    try:
        yield wrapper
    finally:
        wrapper.close()
        wrapper.close_pool()


def one(wrapper):
    with wrapper.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (found,) = cursor.fetchone()
    wrapper.close()
    return found


def test_one_that_was_just_used_is_asked_nothing(db, asked):
    with pooled() as wrapper:
        first = one(wrapper)
        asked.clear()
        assert one(wrapper) == first and asked == []


def test_after_a_while_it_is_asked_again(db, asked, monkeypatch):
    with pooled() as wrapper:
        one(wrapper)
        asked.clear()
        monkeypatch.setattr(module, "SURE_SECONDS", 0)
        one(wrapper)
        assert len(asked) == 1


def test_one_that_the_server_hung_up_is_found_out_at_once(db, asked):
    with pooled() as wrapper:
        first = one(wrapper)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [first])
            assert cursor.fetchone() == (True,)
        assert one(wrapper) != first


def test_a_new_one_is_not_taken_for_one_that_was_used(db):
    with pooled() as wrapper:
        wrapper.ensure_connection()
        assert isinstance(wrapper.connection, PooledConnection)
        assert not wrapper.connection.is_surely_there
