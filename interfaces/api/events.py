"""What is said, over REST: sending, reading, and what was not read yet."""

from contextlib import suppress
from datetime import UTC, datetime

from django.core.exceptions import ValidationError
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_aware
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from interfaces.api import pagination
from interfaces.api.event_serializers import (
    DraftShape,
    EventPage,
    MissedPage,
    Position,
    ReadShape,
    ReceiptShape,
    UnreadList,
)
from interfaces.api.rooms import CURSOR
from interfaces.api.view import View
from messaging import log, services
from messaging.log.event import Person, plain
from messaging.services import away, history

UNREAD_ROOMS_MAX = 1_000  # rooms in one answer
SPAN = ("before", "after", "limit")
POSITION = {"type": "integer", "format": "int64", "minimum": 0, "maximum": log.SEQ_MAX}
SEQ = {
    "after": OpenApiParameter("after", POSITION, description="The first after this `seq`."),
    "before": OpenApiParameter("before", POSITION, description="The last before this `seq`."),
}
CID = "0e4a7c1e-1d4e-4a43-a5a5-0d6f0f0a7b51"


class Events(View):
    @extend_schema(
        operation_id="events_list",
        summary="A page of a room's log",
        description=(
            "The newest, unless `after` or `before` is asked; ascending in any case. A page ends "
            "before its `limit` with the event that reaches 256 KiB."
        ),
        parameters=[*SEQ.values(), *CURSOR],
        responses=EventPage,
    )
    def get(self, request: Request, room_id: int) -> Response:
        mine = services.member_state(room_id, request.user.pk)
        query = pagination.asked(request)
        span = history.span({name: query[name] for name in SPAN if name in query})
        found = history.history(room_id, **span)
        events, more = found["events"], found["more"]
        first, last = (events[0]["seq"], events[-1]["seq"]) if events else (1, mine.head)
        older = first > 1 and (more or "after" in span)
        page = pagination.CursorPage(
            events,
            next={"after": last} if last < mine.head else None,
            previous={"before": first} if older else None,
        )
        return Response(
            pagination.answer(request, page, events, head=mine.head, read=mine.read_seq)
        )

    @extend_schema(
        operation_id="events_send",
        summary="Say something",
        description=(
            "201 the first time, 200 when the same is sent again, 409 `conflict` for the same "
            "`cid` with another body. Answered after it is stored."
        ),
        request=DraftShape,
        responses={200: ReceiptShape, 201: ReceiptShape},
        examples=[
            OpenApiExample("Hello", {"cid": CID, "body": "hello"}, request_only=True),
            OpenApiExample(
                "Stored",
                {
                    "room": 7,
                    "cid": CID,
                    "seq": 42,
                    "at": "2026-11-23T14:03:07.123456Z",
                    "repeated": False,
                },
                response_only=True,
                status_codes=["201"],
            ),
        ],
    )
    def post(self, request: Request, room_id: int) -> Response:
        asked = DraftShape(data=request.data)
        asked.is_valid(raise_exception=True)
        me = Person(request.user.pk, request.user.display_name)
        draft = asked.validated_data
        receipt = services.post(room_id, me, draft["body"], draft["cid"])
        said = {
            "room": receipt.room_id,
            "cid": receipt.client_id,
            "seq": receipt.seq,
            "at": receipt.at,
            "repeated": receipt.repeated,
        }
        return Response(said, status=200 if receipt.repeated else 201)


class MissedEvents(View):
    @extend_schema(
        operation_id="missed_list",
        summary="What others said since I went away, and I have not read",
        description="A page ends before its `limit` with the event that reaches 256 KiB.",
        parameters=[
            OpenApiParameter(
                "since",
                datetime,
                description="A time with its zone (RFC 3339), instead of when I went away.",
            ),
            SEQ["after"],
            *CURSOR,
        ],
        responses=MissedPage,
    )
    def get(self, request: Request, room_id: int) -> Response:
        services.member_state(room_id, request.user.pk)
        query = pagination.asked(request)
        span = history.span({name: query[name] for name in ("after", "limit") if name in query})
        since, events, more = away.missed(
            room_id,
            request.user.pk,
            since=_time(query.get("since")),
            after=span.get("after", 0),
            limit=span.get("limit", history.FIRST_PAGE),
            most=history.HISTORY_BYTES,
        )
        packed: dict[str, object] | None = {"after": events[-1].seq} if more else None
        if packed and since:
            packed["since"] = since.isoformat()  # or the pages would move as I come and go
        results = [plain(event) for event in events]
        return Response(
            {"since": since, "next": pagination.link(request, packed), "results": results}
        )


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    with suppress(ValueError, OverflowError):  # it is none, or lies before or after all time
        at = parse_datetime(text.replace(" ", "+"))  # as a + arrives that nobody escaped
        if at is not None and is_aware(at):
            return at.astimezone(UTC)
    text = _("%(name)s must be a time with its zone, such as 2026-11-23T14:03:07Z.")
    raise ValidationError(text, code="bad_request", params={"name": "since"})


class ReadPosition(View):
    @extend_schema(
        operation_id="read_update",
        summary="Move my read position forward",
        request=Position,
        responses=ReadShape,
    )
    def put(self, request: Request, room_id: int) -> Response:
        asked = Position(data=request.data)
        asked.is_valid(raise_exception=True)
        seq = services.mark_read(room_id, request.user.pk, asked.validated_data["seq"])
        return Response({"room": room_id, "read": seq})


class MyUnread(View):
    @extend_schema(
        operation_id="unread_list",
        summary="What I have not read, in all my rooms",
        description="The liveliest first; the first 1,000.",
        responses=UnreadList,
    )
    def get(self, request: Request) -> Response:
        found = log.my_unread(request.user.pk, UNREAD_ROOMS_MAX)
        return Response({"results": [one._asdict() for one in found]})
