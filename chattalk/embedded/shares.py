"""How many of PostgreSQL's connections each worker may take, so that there are enough for all."""

from typing import Any

from core.postgresql import sessions

from .process import StartFailed

SPARE = 20  # for commands beside the workers, for a successor beside the one that it relieves, and
# for who only asks whether it answers
RESERVED = 3  # PostgreSQL's own usual
AT_MOST = 17  # of one worker; more would only wait for its one interpreter
AT_LEAST = 4  # one that writes, one for what sockets read, two for pages
USUAL, EACH = 200, 10  # connections of an embedded server, and for each worker where they are many

UTC = ("UTC", "Etc/UTC", "GMT", "Etc/GMT")
POOLER_THERE = "At DATABASE_URL there is a pooler that takes no settings of a connection."
POOLER_IGNORES = "At DATABASE_URL there is a pooler that ignores the settings of a connection."
SET_POOLER = "Set DATABASE_POOLER=transaction (docs/deploying.md)."
ROLE_NEEDS = "Behind a pooler the role has the limits; say once, and then start the pooler anew:"

# What it gives to us: of all, of our role, of our database; -1 where there is no such limit.
LIMITS = """
SELECT current_setting('max_connections')::int
         - current_setting('superuser_reserved_connections')::int
         - coalesce(current_setting('reserved_connections', true)::int, 0),
       (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user),
       (SELECT datconnlimit FROM pg_database WHERE datname = current_database())
"""


def wanted(workers: int) -> int:
    """The `max_connections` of an embedded server."""
    return max(USUAL, RESERVED + SPARE + EACH * workers)


def share(url: str, workers: int, is_pooled: bool = False) -> int:
    """How many connections each worker may take, by what that server allows. Raises StartFailed
    where they are too few for so many; or where statements would have no limits there.

    Behind a pooler they are the pooler's to give: its own settings say how many.
    """
    limits = expect_limits(url, is_pooled)
    if is_pooled:
        return AT_MOST
    there = min(limit for limit in limits if limit >= 0)
    each = (there - SPARE) // workers
    if each < AT_LEAST:
        raise StartFailed(_too_few(there, workers))
    return min(AT_MOST, each)


def expect_limits(url: str, is_pooled: bool) -> tuple[int, ...]:
    """How many may connect, for different reasons. Raises StartFailed where a pooler is there of
    which nobody told, or statements would have no limits."""
    import psycopg

    options: dict[str, Any] = {} if is_pooled else {"options": sessions.as_options(sessions.LIMITS)}
    try:
        with psycopg.connect(url, connect_timeout=5, **options) as database:
            _check_limits(database, is_pooled)
            return database.execute(LIMITS).fetchone() or ()
    except psycopg.Error as error:
        if "unsupported startup parameter" in str(error):
            raise StartFailed(f"{POOLER_THERE} {SET_POOLER}") from None
        raise StartFailed(f"PostgreSQL does not say how many may connect: {error}") from error


def _check_limits(database: Any, is_pooled: bool) -> None:
    """Whether a statement ends there, and times are in UTC."""
    wanted = sessions.LIMITS | ({"timezone": sessions.EXACT["timezone"]} if is_pooled else {})
    asked = ", ".join(f"current_setting('{name}')" for name in wanted)
    found = database.execute(f"SELECT current_user, current_database(), {asked}").fetchone()
    role, name, *values = found
    missing = {
        key: wanted[key]
        for key, value in zip(wanted, values, strict=True)
        if value == "0" or (key == "timezone" and value not in UTC)
    }
    if missing:
        said = sessions.as_role(missing, role, name)
        before = "" if is_pooled else f"{POOLER_IGNORES} {SET_POOLER} "
        raise StartFailed(f"{before}{ROLE_NEEDS} {said}")


def _too_few(there: int, workers: int) -> str:
    most = max(0, there - SPARE) // AT_LEAST
    who = "1 worker needs" if workers == 1 else f"{workers} workers need"
    way_out = f"start at most {most} workers, or raise" if most else "raise"
    return (
        f"PostgreSQL allows {there} connections, and {who} {AT_LEAST * workers + SPARE}: "
        f"{way_out} its max_connections (or the limit of the role or of the database)."
    )
