"""The lobby: my rooms and all open rooms; and the forms that open, change and close a room."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Exists, F, OuterRef
from django.forms import model_to_dict
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core import rate_limits
from interfaces.web import room_page
from interfaces.web.room_forms import RoomForm
from messaging import services
from rooms import services as rooms
from rooms.models import Membership, Room

PAGE = 20  # rooms


@require_GET
def lobby(request: HttpRequest) -> HttpResponse:
    if not request.user.is_authenticated:
        return render(request, "landing.html")
    mine = {**room_page.mine(request.user), "opened": room_page.opened_by(request.user)}
    return render(request, "lobby.html", {**mine, **open_rooms(request)})


@require_GET
@login_required
def mine(request: HttpRequest) -> HttpResponse:
    """My rooms alone, for a page that learned by its socket that its own are out of date."""
    current = request.GET.get("current", "")
    context = {**room_page.mine(request.user), "current": current}
    return render(request, "rooms/_mine_list.html", context)


@require_GET
@login_required
def listing(request: HttpRequest) -> HttpResponse:
    """The open rooms alone, for the lobby that keeps itself fresh."""
    return render(request, "rooms/_open.html", open_rooms(request))


def open_rooms(request: HttpRequest) -> dict[str, Any]:
    # Uses index: room_open_by_activity
    words = rooms.search_words(request.GET.get("q", ""))
    seat = Membership.objects.filter(room=OuterRef("pk"), user_id=request.user.pk)
    found = Room.objects.active().matching(words).by_activity()
    found = found.annotate(is_mine=Exists(seat), said_at=F("last_message__at"))
    return {"rooms": Paginator(found, PAGE).get_page(request.GET.get("page")), "words": words}


@require_http_methods(["GET", "POST"])
@login_required
def create(request: HttpRequest) -> HttpResponse:
    form = RoomForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            room = services.open_room(request.user, **form.cleaned_data)
        except ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            return redirect("messaging:room", room.pk)
    page = render(request, "rooms/create.html", {"form": form})
    return rate_limits.told(page, form.non_field_errors().as_data())


@require_http_methods(["GET", "POST"])
@login_required
def edit(request: HttpRequest, room_id: int) -> HttpResponse:
    room = get_object_or_404(Room.objects.active(), pk=room_id)
    rooms.check_may_manage(room, request.user)
    # As initial, not as instance: a refused title must not stand in the heading.
    initial = model_to_dict(room, RoomForm.Meta.fields)
    form = RoomForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        try:
            services.edit_room(room_id, request.user, **form.cleaned_data)
        except ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            messages.success(request, _("The room is changed."))
            return redirect("messaging:room", room_id)
    return render(request, "rooms/edit.html", {"form": form, "room": room})


@require_POST
@login_required
def close(request: HttpRequest, room_id: int) -> HttpResponse:
    get_object_or_404(Room, pk=room_id)
    services.close_room(room_id, request.user)
    messages.success(request, _("The room is closed."))
    return redirect("lobby")


@require_POST
@login_required
def reopen(request: HttpRequest, room_id: int) -> HttpResponse:
    get_object_or_404(Room, pk=room_id)
    services.reopen_room(room_id, request.user)
    messages.success(request, _("The room is open again."))
    return redirect("messaging:room", room_id)
