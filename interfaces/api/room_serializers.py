"""A room's card over REST: what everyone who is signed in may know of it."""

import hashlib
from typing import Any

import django_filters
from django.utils.http import quote_etag
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer

from interfaces.api.account_serializers import PersonShape
from interfaces.api.fields import Flag, Text, Whole
from rooms.models import CAPACITY_MAX, DESCRIPTION_MAX, TITLE_MAX, Room, RoomQuerySet
from rooms.services import search_words


class RoomShape(serializers.ModelSerializer):
    """The same for every reader, so that its ETag is."""

    owner = PersonShape(read_only=True)

    class Meta:
        model = Room
        fields = [
            "id", "title", "description", "owner", "capacity", "personnel", "created_at",
            "closed_at",
        ]  # fmt: skip
        read_only_fields = fields


class NewRoom(serializers.Serializer):
    title = Text(max_length=TITLE_MAX)
    description = Text(max_length=DESCRIPTION_MAX, required=False, allow_blank=True)
    capacity = Whole(min_value=1, max_value=CAPACITY_MAX, required=False)
    seat_owner = Flag(
        required=False, help_text="Whether you take the first seat yourself; true if left out."
    )


class RoomChanges(serializers.Serializer):
    title = Text(max_length=TITLE_MAX, required=False)
    description = Text(max_length=DESCRIPTION_MAX, required=False, allow_blank=True)
    capacity = Whole(min_value=1, max_value=CAPACITY_MAX, required=False)


class Heir(serializers.Serializer):
    user = Whole(min_value=1, max_value=2**63 - 1, help_text="Another member.")


class RoomFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(method="search")
    mine = django_filters.ChoiceFilter(
        choices=[("true", "true"), ("false", "false")], method="member_of"
    )
    state = django_filters.ChoiceFilter(
        choices=[(name, name) for name in ("open", "closed", "all")], method="in_state"
    )

    def filter_queryset(self, queryset: RoomQuerySet) -> RoomQuerySet:
        """Open ones, unless asked otherwise: of my own, all."""
        mine = self.form.cleaned_data["mine"] == "true"
        self.form.cleaned_data["state"] = self.form.cleaned_data["state"] or (
            "all" if mine else "open"
        )
        return super().filter_queryset(queryset)

    def search(self, queryset: RoomQuerySet, name: str, value: str) -> RoomQuerySet:
        return queryset.matching(search_words(value))

    def member_of(self, queryset: RoomQuerySet, name: str, value: str) -> RoomQuerySet:
        return queryset.for_member(self.request.user.pk) if value == "true" else queryset

    def in_state(self, queryset: RoomQuerySet, name: str, value: str) -> RoomQuerySet:
        if value == "all":
            return queryset
        return queryset.active() if value == "open" else queryset.exclude(closed_at=None)


def card(room: Room) -> dict[str, Any]:
    return RoomShape(room).data


def etag(card: dict[str, Any]) -> str:
    """Strong: another one whenever anything on the card is otherwise."""
    return quote_etag(hashlib.blake2b(JSONRenderer().render(card), digest_size=12).hexdigest())
