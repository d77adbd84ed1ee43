"""How many of PostgreSQL's connections each worker may take, so that there are enough for all."""

from .process import StartFailed

SPARE = 20  # for commands beside the workers, for a successor beside the one that it relieves, and
# for who only asks whether it answers
RESERVED = 3  # PostgreSQL's own usual
AT_MOST = 17  # of one worker; more would only wait for its one interpreter
AT_LEAST = 4  # one that writes, one for what sockets read, two for pages
USUAL, EACH = 200, 10  # connections of an embedded server, and for each worker where they are many

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


def share(url: str, workers: int) -> int:
    """How many connections each worker may take, by what that server allows. Raises StartFailed
    where they are too few for so many."""
    import psycopg

    try:
        with psycopg.connect(url, connect_timeout=5) as database:
            limits = database.execute(LIMITS).fetchone() or ()
    except psycopg.Error as error:
        raise StartFailed(f"PostgreSQL does not say how many may connect: {error}") from error
    there = min(limit for limit in limits if limit >= 0)
    each = (there - SPARE) // workers
    if each < AT_LEAST:
        raise StartFailed(_too_few(there, workers))
    return min(AT_MOST, each)


def _too_few(there: int, workers: int) -> str:
    most = max(0, there - SPARE) // AT_LEAST
    who = "1 worker needs" if workers == 1 else f"{workers} workers need"
    way_out = f"start at most {most} workers, or raise" if most else "raise"
    return (
        f"PostgreSQL allows {there} connections, and {who} {AT_LEAST * workers + SPARE}: "
        f"{way_out} its max_connections (or the limit of the role or of the database)."
    )
