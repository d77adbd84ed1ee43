"""Rooms over REST: their cards for everyone, their keys for the owner."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils.http import parse_etags
from django_filters.utils import translate_validation
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from interfaces.api import pagination
from interfaces.api.event_serializers import RoomPage
from interfaces.api.room_serializers import (
    Heir,
    NewRoom,
    RoomChanges,
    RoomFilter,
    RoomShape,
    card,
    etag,
)
from interfaces.api.view import View
from messaging import services
from messaging.services import history
from rooms.models import Room

LIMIT = {"type": "integer", "minimum": 1, "maximum": history.HISTORY_MAX}
CURSOR = [
    OpenApiParameter("limit", LIMIT, description="At most so many; else 50."),
    OpenApiParameter("cursor", str, description="From `next` or `previous`; opaque."),
]
FILTER = [
    OpenApiParameter("q", str, description="A part of the title."),
    OpenApiParameter("mine", str, enum=["true", "false", ""], description="Those I am in."),
    OpenApiParameter(
        "state",
        str,
        enum=["open", "closed", "all", ""],
        description="`open` if left out or empty; with `mine=true`, `all`.",
    ),
]
IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="The ETag of the card that you changed; 412 if it is another by now.",
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    str,
    OpenApiParameter.HEADER,
    description="The ETag that you have; 304 if it still holds.",
)


class Rooms(View):
    @extend_schema(
        operation_id="rooms_list",
        summary="Rooms, the newest first",
        parameters=[*FILTER, *CURSOR],
        responses=RoomPage,
    )
    def get(self, request: Request) -> Response:
        rooms = Room.objects.select_related("owner")
        chosen = RoomFilter(request.query_params, rooms, request=request)
        if not chosen.is_valid():
            raise translate_validation(chosen.errors)
        page = pagination.by_id(chosen.qs, pagination.asked(request), newest_first=True)
        return Response(pagination.answer(request, page, [card(room) for room in page.rows]))

    @extend_schema(
        operation_id="rooms_create",
        summary="Open a room",
        request=NewRoom,
        responses={201: RoomShape},
    )
    def post(self, request: Request) -> Response:
        asked = NewRoom(data=request.data)
        asked.is_valid(raise_exception=True)
        room = services.open_room(request.user, **asked.validated_data)
        response = shown(room.pk, status=201)
        response["Location"] = f"{request.path}{room.pk}/"
        return response


class OneRoom(View):
    @extend_schema(
        operation_id="rooms_retrieve",
        summary="A room's card",
        parameters=[IF_NONE_MATCH],
        responses={200: RoomShape, 304: None},
    )
    def get(self, request: Request, room_id: int) -> Response:
        response = shown(room_id)
        known = parse_etags(request.headers.get("If-None-Match", ""))
        if known == ["*"] or response["ETag"] in [one.removeprefix("W/") for one in known]:
            response.status_code, response.data = 304, None
        return response

    @extend_schema(
        operation_id="rooms_partial_update",
        summary="Change a room",
        parameters=[IF_MATCH],
        request=RoomChanges,
        responses=RoomShape,
    )
    def patch(self, request: Request, room_id: int) -> Response:
        asked = RoomChanges(data=request.data)
        asked.is_valid(raise_exception=True)
        expected = parse_etags(request.headers.get("If-Match", "*"))

        def is_another(room: Room) -> bool:
            return expected != ["*"] and etag(card(room)) not in expected

        services.edit_room(room_id, request.user, unless=is_another, **asked.validated_data)
        return shown(room_id)


class Close(View):
    @extend_schema(
        operation_id="rooms_close",
        summary="Close a room: read only from here on",
        request=None,
        responses=RoomShape,
    )
    def post(self, request: Request, room_id: int) -> Response:
        services.close_room(room_id, request.user)
        return shown(room_id)


class Reopen(View):
    @extend_schema(
        operation_id="rooms_reopen",
        summary="Open a closed room again",
        request=None,
        responses=RoomShape,
    )
    def post(self, request: Request, room_id: int) -> Response:
        services.reopen_room(room_id, request.user)
        return shown(room_id)


class Transfer(View):
    @extend_schema(
        operation_id="rooms_transfer",
        summary="Make another member the owner",
        request=Heir,
        responses=RoomShape,
    )
    def post(self, request: Request, room_id: int) -> Response:
        asked = Heir(data=request.data)
        asked.is_valid(raise_exception=True)
        services.transfer_room(room_id, asked.validated_data["user"], request.user)
        return shown(room_id)


def shown(room_id: int, status: int = 200) -> Response:
    """The card as it stands in the database, which alone knows its times."""
    data: dict[str, Any] = card(get_object_or_404(Room.objects.select_related("owner"), pk=room_id))
    headers = {"ETag": etag(data), "Cache-Control": "private, no-cache"}
    return Response(data, status=status, headers=headers)
