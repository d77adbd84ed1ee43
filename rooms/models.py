"""Where you may be: rooms with a hard limit of members, and who has a seat in which."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

CAPACITY_MAX = 10_000  # members
TITLE_MAX = 80  # characters
DESCRIPTION_MAX = 500  # characters


class RoomQuerySet(models.QuerySet["Room"]):
    def active(self) -> RoomQuerySet:
        return self.filter(closed_at=None)

    def matching(self, words: str) -> RoomQuerySet:
        return self.filter(title__icontains=words) if words else self

    def by_activity(self) -> RoomQuerySet:
        # Uses index: room_open_by_activity
        return self.order_by("-active_at", "-id")

    def for_member(self, user_id: int) -> RoomQuerySet:
        return self.filter(memberships__user_id=user_id)

    def known_to(self, user_id: int) -> RoomQuerySet:
        """The rooms that they are a member or the owner of."""
        seat = Membership.objects.filter(room=OuterRef("pk"), user_id=user_id)
        return self.filter(Q(owner_id=user_id) | Exists(seat))

    def take_seats(self, room_id: int, seats: int) -> bool:
        """Take that many places of an open room, all or none. The database decides."""
        free = self.active().filter(pk=room_id, personnel__lte=F("capacity") - seats)
        return bool(free.update(personnel=F("personnel") + seats))

    def give_back_seat(self, room_id: int) -> None:
        self.filter(pk=room_id).update(personnel=F("personnel") - 1)


class Room(models.Model):
    title = models.CharField(_("title"), max_length=TITLE_MAX)
    description = models.CharField(_("description"), max_length=DESCRIPTION_MAX, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="owned_rooms",
        verbose_name=_("owner"),
    )
    capacity = models.PositiveIntegerField(
        _("seats"),
        default=50,
        validators=[MinValueValidator(1), MaxValueValidator(CAPACITY_MAX)],
        help_text=_("How many people may be members at the same time, 1 to 10,000."),
    )
    personnel = models.PositiveIntegerField(_("members"), default=0, editable=False)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True, editable=False)

    # The head of the room's log. Only messaging/log/ moves these three.
    last_seq = models.BigIntegerField(default=0, editable=False)
    last_event_at = models.DateTimeField(db_default=Now(), editable=False)
    # last_event_at cut to some seconds: it alone is indexed, so that most messages change no index.
    active_at = models.DateTimeField(_("last activity"), db_default=Now(), editable=False)

    objects = RoomQuerySet.as_manager()

    class Meta:
        verbose_name = _("room")
        verbose_name_plural = _("rooms")
        constraints = [
            models.CheckConstraint(
                condition=Q(personnel__gte=0) & Q(personnel__lte=F("capacity")),
                name="room_member_count_within_capacity",
            ),
            models.CheckConstraint(
                condition=Q(capacity__gte=1) & Q(capacity__lte=CAPACITY_MAX),
                name="room_capacity_in_bounds",
            ),
        ]
        indexes = [
            models.Index(
                F("active_at").desc(),
                F("id").desc(),
                name="room_open_by_activity",
                condition=Q(closed_at=None),
            )
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_full(self) -> bool:
        return self.personnel >= self.capacity

    @property
    def is_closed(self) -> bool:
        return self.closed_at is not None


class Membership(models.Model):
    class Role(models.TextChoices):
        OWNER = "owner", _("owner")
        MEMBER = "member", _("member")

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships"
    )
    role = models.CharField(_("role"), max_length=10, choices=Role, default=Role.MEMBER)
    joined_at = models.DateTimeField(_("joined"), db_default=Now(), editable=False)
    read_seq = models.BigIntegerField(_("read up to"), default=0, editable=False)
    state: Any  # of who is shown: whether they are here (messaging/services/history.py)

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [models.UniqueConstraint("room", "user", name="membership_once")]

    def __str__(self) -> str:
        return f"{self.user} in {self.room}"
