from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import expiry


class Command(BaseCommand):
    help = (
        "Delete what has expired: sessions, devices, attempts to sign in, old lines on sign-ins. "
        "Some rows at a time, while people talk; once a day is enough."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--log-days",
            type=float,
            default=expiry.LOG_KEPT_DAYS,
            help="how long it is kept who signed in from where; default: %(default)g",
        )

    def handle(self, *args: Any, log_days: float, **options: Any) -> None:
        if not 0 <= log_days <= 36_500:
            raise CommandError("--log-days must be from 0 to 36500.")
        for name, rows in expiry.over(log_days).items():
            self.stdout.write(f"{sum(expiry.clear(rows)):>12,}  {name} deleted")
