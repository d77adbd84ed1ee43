"""Rooms as the original's services asked for them: for who is in the room, or owns it."""

import graphene
from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext_lazy as _

from accounts import stand_ins
from accounts.models import normal_email
from interfaces.graphql.ids import number
from interfaces.graphql.limits import LIST_MAX
from rooms import services as rooms


class ChatRoom(graphene.ObjectType):
    """A room, as the original knew it. For its members and its owner."""

    id = graphene.ID(required=True)
    title = graphene.String(required=True)
    open_username = graphene.String(
        required=True, description="The owner: one's own e-mail, or a stand-in."
    )
    personnel = graphene.Int(required=True, description="How many members there are.")
    max_personnel = graphene.Int(required=True, description="How many there may be.")
    created_at = graphene.String(required=True, description="UTC, as 2026-11-23T14:03:07.123456.")

    def resolve_open_username(room, info):
        return stand_ins.shown(room.owner_id, room.owner.display_name, info.context.user)

    def resolve_max_personnel(room, info):
        return room.capacity

    def resolve_created_at(room, info):
        return local(room.created_at)


def local(at):
    """A time as the original wrote it: without its zone, which is UTC."""
    return at.replace(tzinfo=None).isoformat(timespec="microseconds")


def check_own(email, user):
    """Only what is one's own can be asked for by an e-mail; whose others are is not told."""
    if normal_email(email) != user.email:
        raise PermissionDenied(_("You can only ask for what is yours."))


class ChatUserSubscription(graphene.ObjectType):
    """A seat in a room, as the original knew it."""

    id = graphene.ID(required=True)
    chat_id = graphene.String(required=True)
    email = graphene.String(required=True)

    def resolve_chat_id(seat, info):
        return str(seat.room_id)

    def resolve_email(seat, info):
        return info.context.user.email


class ChatRoomQuery(graphene.ObjectType):
    get_chat_room_by_id = graphene.Field(ChatRoom, id=graphene.ID(required=True))
    subscriptions_by_email = graphene.List(
        graphene.NonNull(ChatUserSubscription), required=True, email=graphene.String(required=True)
    )

    async def resolve_get_chat_room_by_id(root, info, id):
        return await info.context.run(rooms.known, number(id), info.context.user.pk)

    async def resolve_subscriptions_by_email(root, info, email):
        check_own(email, info.context.user)
        return await info.context.run(rooms.seats_of, info.context.user.pk, LIST_MAX)


QUERY = ChatRoomQuery
