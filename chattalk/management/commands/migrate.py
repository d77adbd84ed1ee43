from typing import Any

from django.core.management.commands import migrate

from chattalk.maintenance import migrate as migrating


class Command(migrate.Command):
    """Django's own, for a database that people write to meanwhile."""

    def handle(self, *args: Any, **options: Any) -> None:
        if options["plan"] or options["check_unapplied"]:
            super().handle(*args, **options)
            return
        migrating.patiently(lambda: super(Command, self).handle(*args, **options), self._show)

    def _show(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
