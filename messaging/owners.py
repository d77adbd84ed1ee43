"""Who is in a room, for the one who keeps it: showing out, and handing the room over.

The list is for those who have a seat, as everywhere; keepers without one take a seat first.
"""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from accounts.models import User
from messaging import asking, pages, queries, services
from rooms import services as rooms
from rooms.models import Room


@require_GET
@login_required
def people(request: HttpRequest, room_id: int) -> HttpResponse:
    room = _kept(request, room_id)
    if queries.standing(room_id, request.user.pk) is None:
        return redirect("messaging:room", room_id)
    words = rooms.search_words(request.GET.get("q", ""))
    found = pages.members(room_id, request.GET.get("page"), words)
    return render(request, "rooms/people.html", {**found, "room": room, "words": words})


@require_http_methods(["GET", "POST"])
@login_required
def remove(request: HttpRequest, room_id: int, user_id: int) -> HttpResponse:
    room = _kept(request, room_id)
    person = _member(room_id, user_id)
    if person is None:
        return _gone(request, room_id)
    if request.method == "POST":
        services.remove(room_id, user_id, request.user)
        messages.success(request, _("%(person)s was removed.") % {"person": person})
        return redirect("rooms:people", room_id)
    question = asking.Question(
        title=_("Remove %(person)s from “%(room)s”?") % {"person": person, "room": room},
        told=[
            _("Their seat is free at once, and what they have open of the room closes."),
            _("They may join again, as long as there is a free seat."),
        ],
        button=_("Remove from the room"),
        action=request.path,
        back=reverse("rooms:people", args=[room_id]),
    )
    return asking.page(request, question)


@require_http_methods(["GET", "POST"])
@login_required
def hand_over(request: HttpRequest, room_id: int, user_id: int) -> HttpResponse:
    room = _kept(request, room_id)
    person = _member(room_id, user_id)
    if person is None:
        return _gone(request, room_id)
    if request.method == "POST":
        return _transfer(request, room_id, person)
    question = asking.Question(
        title=_("Make %(person)s the owner of “%(room)s”?") % {"person": person, "room": room},
        told=[
            _("They may change and close the room, and remove people from it."),
            _("You stay a member, and can't take it back yourself."),
        ],
        button=_("Make the owner"),
        action=request.path,
        back=reverse("rooms:people", args=[room_id]),
    )
    return asking.page(request, question)


def _transfer(request: HttpRequest, room_id: int, person: User) -> HttpResponse:
    try:
        services.transfer_room(room_id, person.pk, request.user)
    except ValidationError:  # they left between our look and the change
        return _gone(request, room_id)
    messages.success(request, _("%(person)s is the owner now.") % {"person": person})
    return redirect("messaging:room", room_id)


def _kept(request: HttpRequest, room_id: int) -> Room:
    room = get_object_or_404(Room.objects.select_related("owner"), pk=room_id)
    rooms.check_may_manage(room, request.user)
    return room


def _member(room_id: int, user_id: int) -> User | None:
    """Names are told of members only, or numbers could be tried."""
    seat = pages.seats(room_id).filter(user_id=user_id).first()
    return seat.user if seat else None


def _gone(request: HttpRequest, room_id: int) -> HttpResponse:
    messages.warning(request, _("They are not in the room any more."))
    return redirect("rooms:people", room_id)
