"""The conversation page and what its script fetches. Members only; others find an entrance."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.models import User
from core import problems, rate_limits
from interfaces.web import confirm, room_page
from messaging import log, services
from messaging.services import history as pages
from rooms import services as rooms
from rooms.models import Room


@require_GET
@login_required
def room(request: HttpRequest, room_id: int) -> HttpResponse:
    room = get_object_or_404(Room.objects.select_related("owner"), pk=room_id)
    if (state := log.member_state(room.pk, request.user.pk)) is None:
        return _entrance(request, room)
    return render(request, "messaging/room.html", room_page.conversation(room, request.user, state))


def _entrance(
    request: HttpRequest, room: Room, refusal: str = "", status: int = 200
) -> HttpResponse:
    return render(
        request, "messaging/entrance.html", _at_the_door(request, room, refusal), status=status
    )


def _at_the_door(request: HttpRequest, room: Room, refusal: str = "") -> dict[str, Any]:
    manages = rooms.may_manage(room, request.user)
    return {"room": room, "refusal": refusal, "manages": manages}


@require_GET
@login_required
def entrance(request: HttpRequest, room_id: int) -> HttpResponse:
    """What of the entrance changes, for a page that waits there for a seat."""
    room = get_object_or_404(Room.objects.select_related("owner"), pk=room_id)
    if log.member_state(room.pk, request.user.pk) is not None:
        return redirect("messaging:room", room_id)
    return render(request, "messaging/_entrance.html", _at_the_door(request, room))


@require_POST
@login_required
def join(request: HttpRequest, room_id: int) -> HttpResponse:
    room = get_object_or_404(Room.objects.select_related("owner"), pk=room_id)
    try:
        services.join(room.pk, request.user)
    except ValidationError as refusal:
        room.refresh_from_db()
        page = _entrance(request, room, refusal.messages[0], status=409)
        return rate_limits.told(page, [refusal])
    return redirect("messaging:room", room_id)


@require_POST
@login_required
def leave(request: HttpRequest, room_id: int) -> HttpResponse:
    room = get_object_or_404(Room, pk=room_id)
    if services.leave(room_id, request.user):
        messages.success(request, _("You left “%(room)s”.") % {"room": room})
    return redirect("lobby")


@require_GET
@login_required
def ask_leave(request: HttpRequest, room_id: int) -> HttpResponse:
    room = get_object_or_404(Room, pk=room_id)
    if log.member_state(room.pk, request.user.pk) is None:
        return redirect("messaging:room", room_id)
    question = confirm.Question(
        title=_("Leave “%(room)s”?") % {"room": room},
        told=_what_leaving_costs(room, request.user),
        button=_("Leave the room"),
        action=reverse("messaging:leave", args=[room_id]),
        back=reverse("messaging:room", args=[room_id]),
    )
    return confirm.page(request, question)


def _what_leaving_costs(room: Room, me: User) -> list[str]:
    is_mine = room.owner_id == me.pk
    told = []
    if room.is_closed and not is_mine:
        told.append(_("The room is closed: you can't come back, nor read what was said."))
    elif room.is_full:
        told.append(_("The room is full: you may not get back in."))
    elif not room.is_closed:
        told.append(_("Your seat is free then. You can come back as long as there is one."))
    if is_mine:
        told.append(_("You stay its owner, and find it in the lobby, under “Rooms you opened”."))
    return told


@require_GET
@login_required
def history(request: HttpRequest, room_id: int) -> JsonResponse:
    _member_state(request, room_id)
    try:
        span = pages.span(request.GET)
    except ValidationError as refusal:
        problem = problems.refused(refusal).body
        return JsonResponse(problem, status=problem["status"], content_type=problems.CONTENT_TYPE)
    # In its own letters: escaped, they are up to three times as long (messaging/log/event.py).
    return JsonResponse(pages.history(room_id, **span), json_dumps_params={"ensure_ascii": False})


@require_GET
@login_required
def missed(request: HttpRequest, room_id: int) -> JsonResponse:
    state = _member_state(request, room_id)
    counted = {"read": state.read_seq, "head": state.head}  # between these two
    return JsonResponse(room_page.missed(room_id, request.user.pk) | counted)


@require_GET
@login_required
def members(request: HttpRequest, room_id: int) -> HttpResponse:
    _member_state(request, room_id)
    context = room_page.members(room_id, request.GET.get("page"))
    return render(request, "messaging/_members.html", context)


def _member_state(request: HttpRequest, room_id: int) -> log.MemberState:
    """My place in the room. For others it does not exist."""
    state = log.member_state(room_id, request.user.pk)
    if state is None:
        raise Http404
    return state
