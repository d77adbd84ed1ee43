"""What a connection begins with. A pooler that hands out a server's connection for a transaction
(DATABASE_POOLER) takes no such settings: there the role has them, and what one statement needs goes
along with it."""

from collections.abc import Mapping

# Bounded everywhere: no query hangs a person, and a process that stands still in a transaction does
# not hold a room for long. Milliseconds.
LIMITS = {
    "statement_timeout": "15000",
    "lock_timeout": "10000",
    "idle_in_transaction_session_timeout": "5000",
}
EXACT = {"synchronous_commit": "on", "timezone": "UTC"}


def as_options(settings: Mapping[str, str]) -> str:
    """For libpq's `options`."""
    return " ".join(f"-c {name}={value}" for name, value in settings.items())


def as_statements(settings: Mapping[str, str]) -> str:
    """Before a statement that is sent together with them, in the same message: they are one
    transaction, and end with it."""
    return "".join(f"SET LOCAL {name} = '{value}'; " for name, value in settings.items())


def as_role(settings: Mapping[str, str], role: str, database: str) -> str:
    """What an administrator says once."""
    whose = f'ALTER ROLE "{role}" IN DATABASE "{database}" SET'
    return " ".join(f"{whose} {name} = '{value}';" for name, value in settings.items())
