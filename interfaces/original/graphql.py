"""What the original's services asked of each other about messages and seats, in its own shapes.

Its times have no zone and are UTC here. Oneself is named by the e-mail, everybody else by a
stand-in (accounts/stand_ins.py). All of it is for who has a seat in the room.
"""

import re
from datetime import UTC, datetime

import graphene
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts import stand_ins
from interfaces.graphql.ids import number
from interfaces.graphql.limits import LIST_MAX
from interfaces.original.graphql_rooms import ChatRoom, check_own, local
from messaging import services
from messaging.services import away
from rooms import services as rooms

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?", re.ASCII)


class ChatMessageType(graphene.Enum):
    ENTER = "enter"
    LEAVE = "leave"
    MESSAGE = "message"


class GraphqlChatMessageDTO(graphene.ObjectType):
    """What happened in a room, as the original knew it."""

    chat_id = graphene.String()
    type = graphene.Field(ChatMessageType, required=True)
    username = graphene.String(description="Who it was: one's own e-mail, or a stand-in.")
    message = graphene.String()
    created_at = graphene.String(description="UTC, as 2026-11-23T14:03:07.123456.")

    def resolve_chat_id(event, info):
        return str(event.room_id)

    def resolve_type(event, info):
        return event.kind

    def resolve_username(event, info):
        sender = event.sender
        return stand_ins.shown(sender.pk, sender.display_name, info.context.user)

    def resolve_message(event, info):
        return event.body if event.kind == "message" else ""

    def resolve_created_at(event, info):
        return local(event.created_at)


class MessageQuery(graphene.ObjectType):
    get_chat_messages = graphene.List(
        graphene.NonNull(GraphqlChatMessageDTO),
        required=True,
        chat_id=graphene.String(required=True),
        exit_time=graphene.String(required=True, description="UTC, as 2026-11-23T14:03:07."),
        description="What happened from then until now, oldest first, 500 at most.",
    )
    get_exit_time = graphene.String(
        required=True,
        chat_id=graphene.String(required=True),
        email=graphene.String(required=True, description="The caller's own."),
        description="When the caller went away; when they came, if they never did. UTC.",
    )

    async def resolve_get_chat_messages(root, info, chat_id, exit_time):
        room_id, since = number(chat_id), moment(exit_time)
        me = info.context.user.pk
        return await info.context.run(away.since, room_id, me, since, LIST_MAX)

    async def resolve_get_exit_time(root, info, chat_id, email):
        check_own(email, info.context.user)
        me = info.context.user.pk
        at = await info.context.run(away.went_away, number(chat_id), me)
        return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def moment(text):
    """Raises ValidationError(bad_time)."""
    try:
        if not TIME.fullmatch(text):
            raise ValueError(text)
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        refusal = _("Write the time in UTC as 2026-11-23T14:03:07.")
        raise ValidationError(refusal, code="bad_time") from None


class SeatMutation(graphene.ObjectType):
    """The number of members follows from who has a seat, and is never changed by hand."""

    increment_personnel = graphene.Field(
        ChatRoom, id=graphene.ID(required=True), description="The caller takes a seat."
    )
    decrement_personnel = graphene.Field(
        ChatRoom, id=graphene.ID(required=True), description="The caller gives their seat back."
    )

    async def resolve_increment_personnel(root, info, id):
        return await info.context.run(_join, number(id), info.context.user)

    async def resolve_decrement_personnel(root, info, id):
        return await info.context.run(_leave, number(id), info.context.user)


def _join(room_id, user):
    services.join(room_id, user)
    return rooms.known(room_id, user.pk)


def _leave(room_id, user):
    room = rooms.known(room_id, user.pk)
    if not services.leave(room_id, user):
        raise rooms.NotMember
    room.refresh_from_db(fields=["personnel"])
    return room


QUERY, MUTATION, TEXTS = MessageQuery, SeatMutation, {"message"}
