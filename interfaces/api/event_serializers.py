"""Bodies of the rooms' part of the REST API. They check shape; the services judge."""

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from interfaces.api.fields import Id, Text, Whole
from interfaces.api.room_serializers import RoomShape
from messaging.log import SEQ_MAX
from messaging.log.kinds import Kind
from rooms.models import Membership

KINDS = Kind.values
ROLES = Membership.Role.values


@extend_schema_serializer(component_name="Draft")
class DraftShape(serializers.Serializer):
    cid = Id(help_text="Your own id of the message. Sending again with it is harmless.")
    # What may be said, messaging/services/body_text.py judges, with codes of its own.
    body = Text(trim_whitespace=False, allow_blank=True)


class ReceiptShape(serializers.Serializer):
    """As an `ack` on the socket."""

    room = serializers.IntegerField()
    cid = serializers.UUIDField()
    seq = serializers.IntegerField(min_value=1)
    at = serializers.DateTimeField()
    repeated = serializers.BooleanField(help_text="It was stored before.")


class Position(serializers.Serializer):
    seq = Whole(min_value=0, max_value=SEQ_MAX)


class ReadShape(serializers.Serializer):
    room = serializers.IntegerField()
    read = serializers.IntegerField(help_text="Where it is then: never back, or past the end.")


class WirePerson(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()


class EventShape(serializers.Serializer):
    """A line of the log, as the socket tells it: docs/wire.md."""

    type = serializers.ChoiceField(choices=["event"])
    room = serializers.IntegerField()
    seq = serializers.IntegerField(min_value=1)
    kind = serializers.ChoiceField(choices=KINDS)
    at = serializers.DateTimeField()
    cid = serializers.UUIDField(required=False)
    body = serializers.CharField(required=False)

    def get_fields(self) -> dict[str, Any]:
        return super().get_fields() | {"from": WirePerson()}


class Links(serializers.Serializer):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class RoomPage(Links):
    results = RoomShape(many=True)


class EventPage(Links):
    head = serializers.IntegerField(help_text="The last `seq` of the room.")
    read = serializers.IntegerField(help_text="My read position.")
    results = EventShape(many=True)


class MissedPage(serializers.Serializer):
    since = serializers.DateTimeField(
        allow_null=True, help_text="When I went away; null where that is not known."
    )
    next = serializers.URLField(allow_null=True)
    results = EventShape(many=True)


class MemberShape(serializers.Serializer):
    id = serializers.IntegerField(source="user.id")
    name = serializers.CharField(source="user.display_name")
    role = serializers.ChoiceField(choices=ROLES)
    joined_at = serializers.DateTimeField()
    online = serializers.BooleanField(
        source="state.online", default=False, help_text="Whether they are here now."
    )
    exit_at = serializers.DateTimeField(
        source="state.exit_at",
        default=None,
        allow_null=True,
        help_text="When they last went away, as far as known.",
    )


class MemberPage(Links):
    results = MemberShape(many=True)


class PlaceShape(serializers.Serializer):
    """My place in a room."""

    room = serializers.IntegerField()
    role = serializers.ChoiceField(choices=ROLES)
    read = serializers.IntegerField()
    head = serializers.IntegerField()


class ParticipantsShape(serializers.Serializer):
    room = serializers.IntegerField()
    count = serializers.IntegerField()
    here = WirePerson(many=True)
    degraded = serializers.BooleanField(
        help_text="Presence can't be kept right now: this may be old."
    )


class UnreadShape(serializers.Serializer):
    room = serializers.IntegerField()
    title = serializers.CharField()
    role = serializers.ChoiceField(choices=ROLES)
    read = serializers.IntegerField()
    head = serializers.IntegerField()
    unread = serializers.IntegerField(max_value=100, help_text="Counted up to 100.")


class UnreadList(serializers.Serializer):
    results = UnreadShape(many=True)
