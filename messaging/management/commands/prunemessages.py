from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from messaging import log
from rooms.models import Room

BATCH_MAX = 5_000  # rows per transaction: writers of the room wait for no more than that


class Command(BaseCommand):
    help = "Deletes what is older than MESSAGE_KEEP_DAYS (0, the default, keeps everything)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=float, help="instead of MESSAGE_KEEP_DAYS")

    def handle(self, *args: Any, days: float | None, **options: Any) -> None:
        days = settings.MESSAGE_KEEP_DAYS if days is None else days
        if days < 0:
            raise CommandError("--days must not be negative.")
        if days == 0:
            self.stdout.write("MESSAGE_KEEP_DAYS is 0: everything is kept, nothing was deleted.")
            return
        before = timezone.now() - timedelta(days=days)
        room_ids = list(Room.objects.order_by("pk").values_list("pk", flat=True))
        deleted = 0
        for number, room_id in enumerate(room_ids, 1):
            while gone := log.prune(room_id, before, BATCH_MAX):
                deleted += gone
                self.show(number, len(room_ids), deleted)
        self.show(len(room_ids), len(room_ids), deleted)
        self.stdout.write(f"\nDeleted {deleted:,} events from before {before:%Y-%m-%d %H:%M} UTC.")

    def show(self, number: int, rooms: int, deleted: int) -> None:
        self.stdout.write(f"\rroom {number:,} of {rooms:,}, {deleted:,} events deleted", ending="")
        self.stdout.flush()
