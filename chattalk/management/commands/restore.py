import os
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from chattalk import embedded
from chattalk.maintenance import errors, restore, verify


class Command(BaseCommand):
    help = (
        "Bring a backup back into an empty system, compare every row with the file, and verify. "
        "If anything is not right, nothing is changed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="what manage.py backup wrote")
        parser.add_argument(
            "--with-secret-key",
            action="store_true",
            help="the backup's secret key, too, in place of the one of this data folder",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        wants_key = options["with_secret_key"]
        if wants_key and os.environ.get("SECRET_KEY"):
            raise CommandError(
                "SECRET_KEY is given by the environment: set it to the former one there, and "
                "leave out --with-secret-key."
            )
        with errors.told():
            manifest, key = restore.bring_back(options["file"], sys.stderr)
            self.stdout.write(f"Restored, as of {manifest.taken_at}.")
            self._keep_key(key, wants_key)
            findings = verify.everything(sys.stderr, grace=0, pruned=True)
        self.stdout.write("\n".join(verify.report(findings)))
        if not findings.good:
            sys.exit(1)

    def _keep_key(self, key: str, wanted: bool) -> None:
        if wanted and key:
            embedded.replace_secret_key(settings.DATA_DIR, key)
            self.stdout.write("The secret key is that of the backup: restart manage.py up.")
        elif wanted:
            self.stdout.write("The backup has no secret key: people have to sign in again.")
        elif key:
            self.stdout.write("The backup's secret key was left in the file.")
