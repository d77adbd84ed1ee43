"""Rooms and what is in them. A room's card is for everyone who is signed in; what is within is for
who has a seat, whatever way leads to the room.
"""

import graphene
from graphene_django import DjangoObjectType
from graphql_relay import from_global_id

from interfaces.graphql import loaders, pagination
from interfaces.graphql.ids import bad_id, number
from interfaces.graphql.pagination import PageRequest
from interfaces.graphql.people import PersonType
from interfaces.web.room_page import MY_ROOMS_MAX
from messaging import log
from rooms import models
from rooms import services as rooms


class RelayNode(graphene.relay.Node):
    """What can be asked for by its id: rooms, and the events of rooms in which one has a seat."""

    class Meta:
        name = "Node"

    @classmethod
    async def get_node_from_global_id(cls, info, global_id, only_type=None):
        """None for what is not there, and for what is not for the caller."""
        try:
            kind, id = from_global_id(global_id)
            find = {"Room": _room, "Event": _event}[kind]
        except (KeyError, ValueError):  # not base64, not UTF-8, or of no kind that we know
            raise bad_id() from None
        return await find(info, id)

    @classmethod
    def resolve_type(cls, instance, info):
        return RoomType if isinstance(instance, models.Room) else EventType


async def _room(info, id):
    return await info.context.load(loaders.cards, number(id))


async def _event(info, id):
    room_id, seq = map(number, id.partition(".")[::2])
    page = PageRequest(size=1, after=(seq - 1,))
    found = await info.context.load(loaders.events, room_id, me=info.context.user.pk, page=page)
    return next((event for event in found.items if event.seq == seq), None)


class EventType(graphene.ObjectType):
    """A line of a room's log."""

    class Meta:
        name = "Event"
        interfaces = (RelayNode,)

    seq = graphene.Int(required=True, description="1, 2, 3 … within the room, without holes.")
    kind = graphene.String(
        required=True, description="One of those of docs/wire.md; more may come."
    )
    at = graphene.DateTime(required=True)
    sender = graphene.Field(PersonType, required=True)
    client_id = graphene.UUID(description="As the message's sender gave it.")
    body = graphene.String(required=True)

    def resolve_id(event, info):
        return f"{event.room}.{event.seq}"

    def resolve_client_id(event, info):
        return event.cid


class Member(graphene.ObjectType):
    """A person's seat in a room, as the other members see it."""

    person = graphene.Field(PersonType, required=True)
    role = graphene.String(required=True, description="owner or member.")
    joined_at = graphene.DateTime(required=True)
    online = graphene.Boolean(description="Null if they never were here, or it can't be known now.")
    exit_at = graphene.DateTime(description="When they last went away.")

    def resolve_person(seat, info):
        return seat.user

    async def resolve_online(seat, info):
        state = await info.context.load(loaders.here, (seat.room_id, seat.user_id))
        return state and state.online

    async def resolve_exit_at(seat, info):
        state = await info.context.load(loaders.here, (seat.room_id, seat.user_id))
        return state and state.exit_at


class Seat(graphene.ObjectType):
    """How the caller stands in a room."""

    role = graphene.String(required=True, description="owner or member.")
    joined_at = graphene.DateTime(required=True)
    read_seq = graphene.Int(required=True, description="How far they have read.")
    unread = graphene.Int(required=True, description="What others said since, counted to 100.")


class EventConnection(graphene.relay.Connection):
    class Meta:
        node = EventType
        strict_types = True


class MemberConnection(graphene.relay.Connection):
    class Meta:
        node = Member
        strict_types = True


def paged(kind, **arguments):
    """A field of pages: `first` after a cursor or `last` before one, else the first 20."""
    return graphene.Field(
        kind,
        first=graphene.Int(),
        after=graphene.String(),
        last=graphene.Int(),
        before=graphene.String(),
        **arguments,
    )


class RoomType(DjangoObjectType):
    """A room. Its card is for everyone; `members`, `events` and `lastEvent` for who has a seat."""

    class Meta:
        name = "Room"
        model = models.Room
        fields = ("title", "description", "personnel", "created_at", "closed_at")
        interfaces = (RelayNode,)

    number = graphene.ID(required=True, description="What the other doors call it.")
    capacity = graphene.Int(required=True, description="How many members there may be.")
    owner = graphene.Field(PersonType, required=True)
    seat = graphene.Field(Seat, description="The caller's own; null without one.")
    members = paged(MemberConnection)
    events = paged(EventConnection)
    last_event = graphene.Field(EventType)

    def resolve_number(room, info):
        return room.pk

    async def resolve_seat(room, info):
        return await info.context.load(loaders.seats, room.pk, me=info.context.user.pk)

    async def resolve_members(room, info, **asked):
        page = pagination.page(1, **asked)
        found = await _within(room, info, loaders.members, page)
        return pagination.connection(found, page, lambda seat: (seat.pk,))

    async def resolve_events(room, info, **asked):
        page = pagination.page(1, **asked)
        found = await _within(room, info, loaders.events, page)
        return pagination.connection(found, page, lambda event: (event.seq,))

    async def resolve_last_event(room, info):
        found = await _within(room, info, loaders.events, PageRequest(size=1, backwards=True))
        return next(iter(found.items), None)


async def _within(room, info, fetch, page):
    """What a room holds, for who has a seat."""
    me = info.context.user.pk
    if await info.context.load(loaders.seats, room.pk, me=me) is None:
        raise rooms.NotMember
    return await info.context.load(fetch, room.pk, me=me, page=page)


class RoomConnection(graphene.relay.Connection):
    class Meta:
        node = RoomType
        strict_types = True


class Me(graphene.ObjectType):
    """The caller."""

    id = graphene.ID(required=True)
    name = graphene.String(required=True)
    email = graphene.String(required=True)
    language = graphene.String(required=True, description="Chosen by them; empty: as asked.")
    unread = graphene.Int(
        required=True,
        description="What others said since, in the 100 liveliest rooms, each counted to 100.",
    )

    def resolve_name(user, info):
        return user.display_name

    async def resolve_unread(user, info):
        mine = await info.context.run(log.my_unread, user.pk, MY_ROOMS_MAX)
        return sum(room.unread for room in mine)


class RoomQuery(graphene.ObjectType):
    me = graphene.Field(Me, required=True)
    node = RelayNode.Field()
    room = graphene.Field(RoomType, number=graphene.ID(required=True))
    rooms = paged(
        RoomConnection,
        search=graphene.String(description="What stands in the title."),
        description="The open rooms, the liveliest first.",
    )
    my_rooms = paged(RoomConnection, description="Where the caller has a seat.")

    def resolve_me(root, info):
        return info.context.user

    async def resolve_room(root, info, **asked):
        return await _room(info, asked["number"])

    async def resolve_rooms(root, info, search="", **asked):
        page = pagination.page(2, **asked)
        found = await info.context.run(loaders.open_rooms, page, search or "")
        return pagination.connection(found, page, loaders.lively_place)

    async def resolve_my_rooms(root, info, **asked):
        page = pagination.page(2, **asked)
        found = await info.context.run(loaders.rooms_of, info.context.user.pk, page)
        return pagination.connection(found, page, loaders.lively_place)


QUERY, TEXTS = RoomQuery, {"body"}
