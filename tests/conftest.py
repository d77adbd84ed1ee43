"""What the tests share: the cast. alice opens rooms, bob is a member, charlie must get nothing."""

from typing import Any

import pytest
from django.conf import settings
from django.db.backends.postgresql.operations import DatabaseOperations

from accounts.passwords import Argon2
from tests.leaks import no_secret_in_a_log  # noqa: F401  (fixtures)
from tests.stack import _stack, stack  # noqa: F401


@pytest.fixture(scope="session", autouse=True)
def quick_passwords():
    """The same algorithm, with less to chew: hundreds of tests sign somebody in. The workers of the
    stack take their full time."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"time_cost": 1, "memory_cost": 64, "parallelism": 1}.items():
            patch.setattr(Argon2, name, value)
        yield


@pytest.fixture(scope="session", autouse=True)
def emptied_by_delete():
    """Between tests, tables with a few rows: TRUNCATE would make and sync new files for each."""

    def sql_flush(self: Any, style: Any, tables: Any, **_options: Any) -> list[str]:
        return [f"DELETE FROM {self.quote_name(table)}" for table in tables]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", sql_flush)
        yield


@pytest.fixture(autouse=True)
def patient():
    """What one test did to its Redis is not what the next one finds."""
    yield
    settings.REDIS_BREAKER.forget()


def person(name: str) -> Any:
    from django.contrib.auth import get_user_model

    return get_user_model().objects.create_user(f"{name}@example.com", display_name=name.title())


@pytest.fixture
def alice(db: None) -> Any:
    return person("alice")


@pytest.fixture
def bob(db: None) -> Any:
    return person("bob")


@pytest.fixture
def charlie(db: None) -> Any:
    return person("charlie")
