"""What in a migration would keep people from writing for longer than a moment.

Of tables that were there before: what reads or rewrites all of a table under its lock. Each has
a way that does not: CONCURRENTLY in a migration that is not atomic, NOT VALID and VALIDATE
in the next migration, USING INDEX, a column without NOT NULL or with a constant default.
"""

import re
from collections.abc import Iterable

_TABLE = r'"?(?P<table>\w+)"?'
CREATED = re.compile(rf"CREATE TABLE {_TABLE}")
ON = re.compile(rf"(?:ALTER TABLE|INDEX .* ON|UPDATE|DELETE FROM|TRUNCATE|LOCK TABLE) {_TABLE}")
CONSTANT = re.compile(r"DEFAULT (?:'[^']*'|-?[\d.]+|TRUE|FALSE|NULL|\(?STATEMENT_TIMESTAMP\(\)\)?)")
BLOCKS = {
    "builds an index while nobody can write": re.compile(
        r"CREATE (?:UNIQUE )?INDEX (?!CONCURRENTLY)"
    ),
    "looks at every row for a constraint": re.compile(
        r"ADD CONSTRAINT (?!.*(?:NOT VALID|USING INDEX))"
    ),
    "looks at every row for NOT NULL": re.compile(r"ALTER COLUMN \S+ SET NOT NULL"),
    "rewrites the table for a type": re.compile(r"ALTER COLUMN \S+ (?:SET DATA )?TYPE "),
    "looks at every row for a new column": re.compile(
        r"ADD COLUMN .*(?: CHECK | CHECK\(| UNIQUE| PRIMARY KEY| REFERENCES )"
    ),
    "changes rows while it holds locks": re.compile(r"(?:UPDATE|DELETE FROM|TRUNCATE|LOCK TABLE) "),
    "moves the table": re.compile(r"CLUSTER|VACUUM FULL|SET TABLESPACE"),
}


def blockers(statements: Iterable[str], atomic: bool) -> list[str]:
    """Each as a sentence; empty for a migration that people don't notice."""
    made: set[str] = set()
    found: list[str] = []
    waits, locks = False, 0
    for statement in map(_plain, statements):
        made |= {one["table"] for one in CREATED.finditer(statement)}
        waits = waits or "SET LOCK_TIMEOUT = 0" in statement.upper()
        if "CANNOT BE WRITTEN AS SQL" in statement and atomic:
            found.append("runs Python in one transaction: in batches, with atomic = False")
        if statement.startswith("--") or (on := ON.search(statement)) and on["table"] in made:
            continue
        found += _of(statement)
        if " CONCURRENTLY " in statement and (atomic or not waits):
            found.append("CONCURRENTLY needs atomic = False and SET lock_timeout = 0 before it")
        if "VALIDATE CONSTRAINT" in statement and locks and atomic:
            found.append("VALIDATE belongs into a migration of its own: this one holds a lock")
        locks += statement.startswith("ALTER TABLE") and "VALIDATE" not in statement
    return found


def _plain(statement: str) -> str:
    return " ".join(statement.split())


def _of(statement: str) -> list[str]:
    found = [f"{why}: {statement}" for why, sign in BLOCKS.items() if sign.search(statement)]
    if "ADD COLUMN" in statement:
        if "DEFAULT" in statement and not CONSTANT.search(statement):
            found.append(f"rewrites the table for a default that is not constant: {statement}")
        elif "NOT NULL" in statement and "DEFAULT" not in statement:
            found.append(f"can't be done to a table with rows: {statement}")
    return found
