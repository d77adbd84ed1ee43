"""The original's REST (docs/original.md): its paths, its fields and its cookie, on our services.

Its page takes every answer that is not 2xx alike; refusals are problem details all the same.
"""

import secrets
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET
from rest_framework import serializers
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import devices
from accounts import services as accounts
from accounts import stand_ins as names
from accounts.tokens import NotValid
from core import client_ip
from core.numbers import number
from interfaces.api.view import View
from interfaces.original import bodies, cookie, rows, visits
from interfaces.original import missed as unread
from interfaces.stomp import bodies as stomp_bodies
from messaging import services
from messaging.log import SEQ_MAX

ROOMS_MAX = 500  # in one answer; more by `page`
PAGE_MAX = 1_000


class Original(View):
    authentication_classes = [cookie.CookieAuthentication]
    permission_classes = [IsAuthenticated]
    schema = None  # not ours to describe: it is no part of /api/v1/

    def shown_token(self, request: Request) -> str:
        return cookie.shown(request) or ""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.asked_at = visits.asked_at(request._request)
        cookie.check_origin(request)
        super().initial(request, *args, **kwargs)


class Open(Original):
    """For nobody, too."""

    authentication_classes = []
    permission_classes = [AllowAny]


# --- who you are ------------------------------------------------------------------------------


class Account(serializers.Serializer):
    email = serializers.EmailField()
    password = serializers.CharField(trim_whitespace=False)
    phone = serializers.CharField(allow_blank=True, default="")
    role = serializers.ChoiceField(["USER", "ADMIN"], default="USER")  # asked for, never given


class SignUp(Open):
    """POST `{email, password, phone, role}` → 200 (201 would be taken for a failure)."""

    paced_apart = "sign-up"

    def post(self, request: Request) -> Response:
        given = _given(Account, request)
        accounts.sign_up(
            email=given["email"],
            password=given["password"],
            address=client_ip.of(request._request),
            display_name=names.from_email(given["email"]),
            phone=given["phone"],
            any_password=settings.ORIGINAL_WEAK_PASSWORDS,
        )
        return Response({"status": 200, "message": _("Your account is open. Sign in.")})


class Credentials(serializers.Serializer):
    email = serializers.CharField()
    password = serializers.CharField(trim_whitespace=False)


class Login(Open):
    """POST `{email, password}` → `{status, message, user: {email, phone, role}}` and the cookie."""

    paced_apart = "sign-in"

    def post(self, request: Request) -> Response:
        pair = devices.sign_in(
            request._request,
            **_given(Credentials, request),
            access_life=settings.ORIGINAL_TOKEN_LIFE,
        )
        person = {
            "email": pair.user.email,
            "phone": pair.user.phone,
            "role": "ADMIN" if pair.user.is_staff else "USER",
        }
        response = Response({"status": 200, "message": _("You are signed in."), "user": person})
        cookie.give(response, pair.access, pair.expires_in)
        return response


class Logout(Open):
    """POST → 200, whoever calls: the device's sign-in has ended, its sockets close, the cookie
    is gone."""

    def post(self, request: Request) -> Response:
        try:
            identity = cookie.identity(request)
        except NotValid:
            identity = None
        if identity is not None:
            devices.revoke(identity.user.pk, identity.device_id)
        response = Response({"status": 200, "message": _("You are signed out.")})
        cookie.take_back(response)
        return response


# --- rooms ------------------------------------------------------------------------------------


class PageQuery(serializers.Serializer):
    page = serializers.IntegerField(min_value=1, max_value=PAGE_MAX, default=1)
    size = serializers.IntegerField(min_value=1, max_value=ROOMS_MAX, default=ROOMS_MAX)


class OpenRooms(Original):
    """GET → `[{chatId, title, openUsername, personnel, maxPersonnel}]`, the liveliest first.

    `page` and `size` ask for fewer; `Link: <…>; rel="next"` says that there are more. Without them
    it is its page that asks, where people arrive who have left a room by the browser's Back.
    """

    def get(self, request: Request) -> HttpResponse:
        if _is_its_page(request):
            visits.list_shown(request.user.pk, request.auth.device_id, self.asked_at)
        return _listed(request, rows.List.OPEN)


class MyRooms(Original):
    """GET → the same, of the rooms in which the caller has a seat."""

    def get(self, request: Request) -> HttpResponse:
        return _listed(request, rows.List.MINE)


class NewChatRoom(serializers.Serializer):
    title = serializers.CharField()
    maxPersonnel = serializers.IntegerField()


class Create(Original):
    """POST `{title, maxPersonnel}` → 200 with the room. Its owner takes a seat by ENTER."""

    def post(self, request: Request) -> Response:
        given = _given(NewChatRoom, request)
        try:
            room = services.open_room(
                request.user, title=given["title"], capacity=given["maxPersonnel"], seat_owner=False
            )
        except ValidationError as error:
            raise _in_its_words(error) from None
        card = (room.pk, room.title, room.owner_id, "", room.personnel, room.capacity)
        return Response(bodies.info(request.user, *card))


class Before(serializers.Serializer):
    before = serializers.IntegerField(min_value=1, max_value=SEQ_MAX, default=None)


class Unread(Original):
    """What was said while the caller was away."""

    def get(self, request: Request, chat_id: str) -> Response:
        """→ `[{chatId, type, username, message, createdAt}]`, oldest first, the newest
        unread.UNREAD_MAX or UNREAD_BYTES of them; `[]` for who has no seat (yet). Where there are
        older ones, `Link: <…>; rel="prev"` leads to them, whom its page does not ask for."""
        missed = self._missed(_room_id(chat_id), request)
        me = request.user
        response = Response(
            [stomp_bodies.line(each, stomp_bodies.username(each, me)) for each in missed.events]
        )
        if missed.before:
            older = request.build_absolute_uri(f"?before={missed.before}")
            response["Link"] = f'<{older}>; rel="prev"'
        return response

    def put(self, request: Request, chat_id: str) -> Response:
        """No body: "I have gone away from this room." → 200. Again changes nothing."""
        try:
            me, device = request.user.pk, request.auth.device_id
            unread.go_away(_room_id(chat_id), me, device, self.asked_at)
        except PermissionDenied:  # its page takes a 403 for a sign-in that has ended
            raise Http404 from None
        return Response({"status": 200})

    def _missed(self, room_id: int, request: Request) -> unread.Missed:
        asked = Before(data=request.query_params)
        asked.is_valid(raise_exception=True)
        me, before = request.user.pk, asked.validated_data["before"]
        if before is not None:
            return unread.older(room_id, me, before)
        return unread.unread(room_id, me, request.auth.device_id, self.asked_at)


def _given(shape: type[serializers.Serializer], request: Request) -> dict[str, Any]:
    given = shape(data=request.data)
    given.is_valid(raise_exception=True)
    return given.validated_data


def _listed(request: Request, rooms: rows.List) -> HttpResponse:
    page, size = _page(request)
    found = rows.read(rooms, request.user.pk, limit=size + 1, offset=(page - 1) * size)
    answer = bodies.listed(request.user, found[:size])
    response = HttpResponse(answer, content_type="application/json")
    if len(found) > size:
        more = request.build_absolute_uri(f"?page={page + 1}&size={size}")
        response["Link"] = f'<{more}>; rel="next"'
    return response


def _page(request: Request) -> tuple[int, int]:
    if not request.query_params:  # as its page asks
        return 1, ROOMS_MAX
    asked = PageQuery(data=request.query_params)
    asked.is_valid(raise_exception=True)
    return asked.validated_data["page"], asked.validated_data["size"]


def _is_its_page(request: Request) -> bool:
    """And no program, which is not gone because it looks at the list; not somebody who follows a
    link to here, nor asks for a part."""
    mode = request.headers.get("Sec-Fetch-Mode")  # which browsers say by HTTPS only
    is_page = mode != "navigate" if mode else "Referer" in request.headers
    return is_page and not request.query_params


def _room_id(chat_id: str) -> int:
    """Its page sends an empty one where its storage is empty."""
    if (found := number(chat_id)) is None:
        raise Http404
    return found


def _in_its_words(error: ValidationError) -> ValidationError:
    names = {"capacity": "maxPersonnel"}
    return ValidationError({names.get(f, f): found for f, found in error.error_dict.items()})


# --- SockJS -----------------------------------------------------------------------------------


@require_GET
@never_cache
def info(request: HttpRequest) -> JsonResponse:
    """What SockJS asks before it opens a socket."""
    entropy = secrets.randbits(32)
    return JsonResponse(
        {"websocket": True, "origins": ["*:*"], "cookie_needed": True, "entropy": entropy}
    )
