"""One's own account over REST."""

from django.contrib.auth import update_session_auth_hash
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import services as accounts
from accounts.models import User
from accounts.tokens import Identity
from core import client_ip
from interfaces.api.account_serializers import MeShape, NewAccount, NewPassword, ProfileChanges
from interfaces.api.view import OpenView, View


class Accounts(OpenView):
    paced_apart = "sign-up"

    @extend_schema(
        operation_id="accounts_create",
        summary="Sign up",
        request=NewAccount,
        responses={201: MeShape},
    )
    def post(self, request: Request) -> Response:
        asked = NewAccount(data=request.data)
        asked.is_valid(raise_exception=True)
        user = accounts.sign_up(address=client_ip.of(request._request), **asked.validated_data)
        return Response(MeShape(user).data, status=201)


class Profile(View):
    @extend_schema(operation_id="me_retrieve", summary="Who I am", responses=MeShape)
    def get(self, request: Request) -> Response:
        return Response(MeShape(_whole(request)).data)

    @extend_schema(
        operation_id="me_partial_update",
        summary="Change my profile",
        request=ProfileChanges,
        responses=MeShape,
    )
    def patch(self, request: Request) -> Response:
        asked = ProfileChanges(data=request.data)
        asked.is_valid(raise_exception=True)
        user = _whole(request)
        kept = {name: getattr(user, name) for name in ("display_name", "phone", "language")}
        accounts.edit_profile(user, **{**kept, **asked.validated_data})
        return Response(MeShape(user).data)


class Password(View):
    @extend_schema(
        operation_id="me_password_update",
        summary="Change my password",
        description="All other sign-ins end: devices, browsers and their sockets.",
        request=NewPassword,
        responses={204: None},
    )
    def put(self, request: Request) -> Response:
        asked = NewPassword(data=request.data)
        asked.is_valid(raise_exception=True)
        user = _whole(request)
        device = request.auth.device_id if isinstance(request.auth, Identity) else None
        accounts.change_password(request._request, user, **asked.validated_data, keep_device=device)
        if device is None:
            update_session_auth_hash(request._request, user)
        return Response(status=204)


def _whole(request: Request) -> User:
    """With the fields that a request's own person comes without."""
    return User.objects.get(pk=request.user.pk)
