"""What is said: one ordered log per room, of everything that happens in it."""

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from messaging.log.kinds import Kind
from rooms.models import Room


class Event(models.Model):
    """A line of a room's log. `seq` counts 1, 2, 3 … within the room, in the order of commits.

    Rows are written by messaging/log/ only, under the lock of the room's row, and are
    never changed: what corrects a line is a later line.
    """

    Kind = Kind

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="events", db_index=False)
    seq = models.BigIntegerField()
    kind = models.CharField(max_length=10, choices=Kind)
    sender = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    # Given by the sender's client, so that sending again is harmless.
    client_id = models.UUIDField(null=True, blank=True)
    body = models.TextField(blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints = [
            models.UniqueConstraint("room", "seq", name="event_seq_once"),
            models.UniqueConstraint(
                "room",
                "sender",
                "client_id",
                name="message_sent_once",
                condition=Q(client_id__isnull=False),
            ),
            models.CheckConstraint(condition=Q(seq__gte=1), name="event_seq_from_one"),
        ]
        indexes = [
            # For what was said in a span of time: messaging/log/ MISSED and PRUNE.
            models.Index(fields=["room", "created_at", "seq"], name="event_by_room_and_time"),
            # For what was said lately in all rooms, where that was not counted as it was said:
            # messaging/followers/counters.py BY_MINUTE. It costs the writer next to nothing, since
            # rows come in the order of time. It is brought up to date by autovacuum, which
            # looks after each 50,000 rows: migration 0004.
            BrinIndex(fields=["created_at"], name="event_by_time", pages_per_range=32),
        ]

    def __str__(self) -> str:
        return f"{self.room_id}/{self.seq} {self.kind}"


class FollowerRecord(models.Model):
    """A follower that has begun, and how many lines were pruned before it came to them."""

    name = models.CharField(max_length=40, unique=True)
    begun_at = models.DateTimeField(db_default=Now())
    missed = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return self.name


class FollowerPosition(models.Model):
    """How far a follower has come in a room; none is the same as 0.

    Rows are written by messaging/followers/positions.py only.
    """

    follower = models.CharField(max_length=40)
    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="+", db_index=False)
    seq = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint("follower", "room", name="follower_position_once"),
            models.CheckConstraint(condition=Q(seq__gte=0), name="follower_position_from_zero"),
        ]

    def __str__(self) -> str:
        return f"{self.follower} {self.room_id}/{self.seq}"


class LastMessage(models.Model):
    """When something was last said in a room; of rooms in which nothing was, there is none.

    This and the next one are written by messaging/followers/counters.py only.
    """

    room = models.OneToOneField(
        Room, on_delete=models.CASCADE, primary_key=True, related_name="last_message"
    )
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.room_id} {self.at}"


class MinuteCount(models.Model):
    """How many messages were said in a minute, in all rooms together."""

    minute = models.DateTimeField(primary_key=True)
    messages = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.minute} {self.messages}"
