import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from chattalk.maintenance import backup, errors
from chattalk.maintenance.archive import PRESENCE, name_of


class Command(BaseCommand):
    help = (
        "Copy people, rooms, everything that was said and presence into one file, of one moment, "
        "while people talk. Only you can read it; keep it as you keep a password."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="its name, which must be free: chat.zip")
        parser.add_argument(
            "--with-secret-key",
            action="store_true",
            help="and what signs sessions and tokens, so that people stay signed in: "
            "who has the file can then sign in as anybody",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        key = settings.SECRET_KEY if options["with_secret_key"] else ""
        with errors.told():
            manifest = backup.make(path, sys.stderr, key)
        rows = sum(manifest.members[name_of(table)].lines for table in manifest.tables)
        self.stdout.write(
            f"{path}: {rows:,} rows and {manifest.members[PRESENCE].lines:,} presence documents "
            f"as of {manifest.taken_at}, {path.stat().st_size:,} bytes."
        )
