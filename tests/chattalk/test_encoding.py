"""What a database is made with: its encoding, which has to be UTF-8, and its locale, which need not
be any. docs/compatibility.md has these lines."""

from contextlib import contextmanager

import psycopg
import pytest
from django.conf import settings

from chattalk.embedded import StartFailed, expect_answer
from rooms.models import Room
from tests.stack import address_of

MADE_WITH = "LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"


@contextmanager
def database(encoding):
    """The address of one with the locale C, as `initdb` makes it where no locale is set."""
    with psycopg.connect(settings.DATABASE_URL, autocommit=True) as server:
        server.execute(f"CREATE DATABASE encoded ENCODING '{encoding}' {MADE_WITH}")
        try:
            yield address_of("encoded")
        finally:
            server.execute("DROP DATABASE encoded WITH (FORCE)")


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1", "EUC_KR"])
def test_a_database_in_another_encoding_is_refused_before_it_gets_tables(encoding):
    with database(encoding) as url, pytest.raises(StartFailed) as refused:
        expect_answer("DATABASE_URL", url)
    said = str(refused.value)
    assert encoding in said and "--encoding=UTF8" in said and "\n" not in said


def test_in_locale_c_utf_8_is_enough_and_only_capitals_beyond_ascii_are_not_found():
    with database("UTF8") as url:
        expect_answer("DATABASE_URL", url)
        with psycopg.connect(url) as asked:
            found = "SELECT char_length('안녕'), 'École 서울' ILIKE '%서울%', 'É' ILIKE 'é'"
            assert asked.execute(found).fetchone() == (2, True, False)


def test_in_our_own_cluster_a_search_finds_them_in_capitals_or_not(alice):
    Room.objects.create(title="École 서울", owner=alice, capacity=5)
    assert Room.objects.filter(title__icontains="éCOLE").exists()
    assert Room.objects.filter(title__icontains="서울").exists()


def test_no_index_of_ours_is_made_of_trigrams_of_which_hangul_has_none(db):
    """They follow LC_CTYPE, which is C in our own cluster, whatever else provides its locale."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexdef LIKE '%trgm%'")
        assert cursor.fetchall() == []
        cursor.execute("CREATE EXTENSION pg_trgm")
        cursor.execute("SELECT show_trgm('한국어'), cardinality(show_trgm('tea'))")
        assert cursor.fetchone() == ([], 4)
