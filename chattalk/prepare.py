"""What comes before a reload, in a process of the new code and settings: whether it can serve, and
its migrations. What it prints is told; the last line is the reason, where its status says no.

python -m chattalk.prepare --host 127.0.0.1

Workers of the version before go on meanwhile, on the new tables. So only what adds to them is done
here; a migration of another kind that does them no harm says so: `is_additive = True`.
"""

import argparse
import os
import sys
import traceback
from collections.abc import Mapping
from typing import Any

from chattalk.embedded import StartFailed, given, running_servers

PINNED = "a reload keeps the stores as they are: stop `up`, and start it again"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", required=True)
    host = parser.parse_args().host
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chattalk.settings")
    try:
        _prepare(host)
    except Exception as error:
        from chattalk import sentences

        if not (sentence := sentences.of(error)):
            traceback.print_exc()
            sentence = f"{type(error).__name__}: {error}"
        sys.stderr.flush()
        sys.exit(" ".join(sentence.split()))


def _prepare(host: str) -> None:
    import chattalk.asgi
    from chattalk import deployment

    assert chattalk.asgi.pages  # all that a worker imports
    _load_pages()
    _refuse_other_stores(os.environ)
    deployment.refuse_unsafe(host)
    for warning in deployment.warnings():
        print(f"Warning: {warning}")
    _migrate()


def _load_pages() -> None:
    """The doors of HTTP, which a worker imports with its first request."""
    from django.urls import get_resolver

    assert get_resolver().url_patterns


def _refuse_other_stores(environment: Mapping[str, str]) -> None:
    from django.conf import settings

    running = running_servers(settings.DATA_DIR)
    for name, address in given(environment).items():
        if running.get(name) != address:
            raise StartFailed(f"{name} is another one now, and {PINNED}.")


def _migrate() -> None:
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    plan = [one for one, _back in executor.migration_plan(executor.loader.graph.leaf_nodes())]
    for migration in plan:
        if not is_additive(migration):
            raise StartFailed(
                f"The migration {migration} changes what the running version uses: stop `up`, and "
                "start it again, which brings the tables up to date while nobody uses them."
            )
    if plan:
        call_command("migrate", interactive=False, verbosity=0)
        print(f"The database is up to date: {', '.join(map(str, plan))}")


def is_additive(migration: Any) -> bool:
    """Whether code that does not know of it goes on as before."""
    from django.contrib.postgres import operations as postgres
    from django.db.migrations import operations as django

    adding = django.CreateModel, django.AddIndex, postgres.AddIndexConcurrently

    def adds(operation: Any) -> bool:
        if isinstance(operation, django.AddField):
            field = operation.field
            return bool(field.null or field.has_db_default() or field.many_to_many)
        return isinstance(operation, adding)

    return getattr(migration, "is_additive", False) or all(map(adds, migration.operations))


if __name__ == "__main__":
    main()
