"""Signing in by token over REST, the devices that are, and tickets for sockets."""

from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import devices, tickets, token_cache, tokens
from accounts.models import Device
from accounts.tokens import TOKEN_MAX, Identity, NotValid
from interfaces.api.account_serializers import PasswordField
from interfaces.api.fields import Flag, Text
from interfaces.api.view import OpenView, View

TOKEN = {"max_length": TOKEN_MAX}


class SignIn(serializers.Serializer):
    email = Text(max_length=254)
    password = PasswordField()


class PairShape(serializers.Serializer):
    access = serializers.CharField(help_text="`Authorization: Bearer …`")
    refresh = serializers.CharField(help_text="Good for one refresh.")
    expires_in = serializers.IntegerField(help_text="Seconds, of the access token.")
    device = serializers.UUIDField(source="device_id")


class Spend(serializers.Serializer):
    refresh = Text(**TOKEN)


class Shown(serializers.Serializer):
    token = Text(**TOKEN)


class Revocation(serializers.Serializer):
    everywhere = Flag(required=False, help_text="All my devices, not only this one.")


class DeviceShape(serializers.ModelSerializer):
    last_used_at = serializers.DateTimeField(source="refreshed_at")
    current = serializers.SerializerMethodField(help_text="Whether it is the one that asks.")

    class Meta:
        model = Device
        fields = ["id", "label", "created_at", "last_used_at", "expires_at", "current"]

    def get_current(self, device: Device) -> bool:
        return device.pk == self.context["current"]


class DeviceList(serializers.Serializer):
    results = DeviceShape(many=True)


class VerifiedShape(serializers.Serializer):
    user = serializers.IntegerField()
    device = serializers.UUIDField()


class TicketShape(serializers.Serializer):
    ticket = serializers.CharField(help_text="For one socket: sub-protocol `ticket.…`")
    expires_in = serializers.IntegerField(help_text="Seconds.")


class Tokens(OpenView):
    paced_apart = "sign-in"

    @extend_schema(
        operation_id="tokens_obtain",
        summary="Sign in",
        request=SignIn,
        responses=PairShape,
    )
    def post(self, request: Request) -> Response:
        asked = SignIn(data=request.data)
        asked.is_valid(raise_exception=True)
        pair = devices.sign_in(request._request, **asked.validated_data)
        return Response(PairShape(pair).data)


class Refresh(OpenView):
    token_field = "refresh"

    @extend_schema(
        operation_id="tokens_refresh",
        summary="The next pair",
        description="A refresh token that is shown twice ends its device.",
        request=Spend,
        responses=PairShape,
    )
    def post(self, request: Request) -> Response:
        asked = Spend(data=request.data)
        asked.is_valid(raise_exception=True)
        try:
            pair = devices.refresh(request._request, asked.validated_data["refresh"])
        except NotValid as error:
            raise not_valid(error) from None
        return Response(PairShape(pair).data)


class Verify(OpenView):
    token_field = "token"

    @extend_schema(
        operation_id="tokens_verify",
        summary="Whether an access token counts, and whose it is",
        request=Shown,
        responses=VerifiedShape,
    )
    def post(self, request: Request) -> Response:
        asked = Shown(data=request.data)
        asked.is_valid(raise_exception=True)
        try:
            who = tokens.verify(asked.validated_data["token"])
        except NotValid as error:
            raise not_valid(error) from None
        return Response({"user": who.user.pk, "device": who.device_id})


class Revoke(View):
    @extend_schema(
        operation_id="tokens_revoke",
        summary="Sign out, here or everywhere",
        request=Revocation,
        responses={204: None},
    )
    def post(self, request: Request) -> Response:
        asked = Revocation(data=request.data)
        asked.is_valid(raise_exception=True)
        if asked.validated_data.get("everywhere"):
            devices.revoke_all(request.user.pk)
        else:
            devices.revoke(request.user.pk, caller(request).device_id)
        return Response(status=204)


class Devices(View):
    @extend_schema(
        operation_id="devices_list", summary="Where I am signed in", responses=DeviceList
    )
    def get(self, request: Request) -> Response:
        current = request.auth.device_id if isinstance(request.auth, Identity) else None
        mine = devices.devices(request.user.pk)
        shapes = DeviceShape(mine, many=True, context={"current": current})
        return Response({"results": shapes.data})


class OneDevice(View):
    @extend_schema(
        operation_id="devices_remove", summary="Sign out a device", responses={204: None}
    )
    def delete(self, request: Request, device_id: UUID) -> Response:
        if not devices.revoke(request.user.pk, device_id):
            raise NotFound
        return Response(status=204)


class Tickets(View):
    @extend_schema(
        operation_id="tickets_create",
        summary="A ticket that opens one socket",
        request=None,
        responses={201: TicketShape},
    )
    def post(self, request: Request) -> Response:
        try:
            ticket = tickets.issue(caller(request))
        except token_cache.Down:
            text = _("No tickets right now. Open the socket with your access token.")
            raise ValidationError(text, "unavailable", {"retry_after": 1}) from None
        return Response({"ticket": ticket, "expires_in": tickets.SECONDS}, status=201)


def caller(request: Request) -> Identity:
    """The caller by token. A browser's session is no device: it signs out by the page."""
    if not isinstance(request.auth, Identity):
        raise ValidationError(_("This is for those who sign in by token."), code="token_needed")
    return request.auth


def not_valid(error: NotValid) -> ValidationError:
    return ValidationError(str(error), code="token_not_valid")
