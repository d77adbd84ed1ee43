"""Seats over REST: taking and giving back one's own, who has the others, who is here now."""

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from interfaces.api import pagination
from interfaces.api.event_serializers import MemberPage, MemberShape, ParticipantsShape, PlaceShape
from interfaces.api.rooms import CURSOR
from interfaces.api.view import View
from messaging import services
from messaging.services import history
from rooms.services import NotMember


class MyMembership(View):
    @extend_schema(
        operation_id="membership_retrieve", summary="My place in a room", responses=PlaceShape
    )
    def get(self, request: Request, room_id: int) -> Response:
        return Response(_place(room_id, request.user.pk))

    @extend_schema(
        operation_id="membership_join",
        summary="Join a room",
        description="201 where a seat was taken now, 200 where you had it.",
        request=None,
        responses={200: PlaceShape, 201: PlaceShape},
    )
    def put(self, request: Request, room_id: int) -> Response:
        was_seated = services.join(room_id, request.user)
        return Response(_place(room_id, request.user.pk), status=201 if was_seated else 200)

    @extend_schema(operation_id="membership_leave", summary="Leave a room", responses={204: None})
    def delete(self, request: Request, room_id: int) -> Response:
        if not services.leave(room_id, request.user):
            raise NotMember
        return Response(status=204)


def _place(room_id: int, user_id: int) -> dict[str, object]:
    found = services.member_state(room_id, user_id)
    return {"room": room_id, "role": found.role, "read": found.read_seq, "head": found.head}


class Members(View):
    @extend_schema(
        operation_id="members_list",
        summary="Who has a seat, in the order they came",
        parameters=CURSOR,
        responses=MemberPage,
    )
    def get(self, request: Request, room_id: int) -> Response:
        services.member_state(room_id, request.user.pk)
        page = pagination.by_id(history.seats(room_id), pagination.asked(request))
        people = history.with_states(room_id, page.rows)
        return Response(pagination.answer(request, page, MemberShape(people, many=True).data))


class OneMember(View):
    @extend_schema(
        operation_id="members_remove", summary="Show a member out", responses={204: None}
    )
    def delete(self, request: Request, room_id: int, user_id: int) -> Response:
        if not services.remove(room_id, user_id, request.user):
            raise NotFound
        return Response(status=204)


class RoomParticipants(View):
    @extend_schema(
        operation_id="participants_retrieve",
        summary="Who is here now",
        responses=ParticipantsShape,
    )
    def get(self, request: Request, room_id: int) -> Response:
        services.member_state(room_id, request.user.pk)
        frame = services.participants(room_id)
        names = ("room", "count", "here", "degraded")
        return Response({"room": room_id} | {name: frame[name] for name in names if name in frame})
