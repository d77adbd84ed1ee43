"""The members of a room, for its owner and staff: showing them out, handing the room over.

The list is for those who have a seat, as everywhere; keepers without one take a seat first.
"""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from accounts.models import User
from interfaces.web import confirm, room_page
from messaging import log, services
from messaging.services import history
from rooms import services as rooms
from rooms.models import Room

Words = dict[str, Any]  # of a question


@require_GET
@login_required
def people(request: HttpRequest, room_id: int) -> HttpResponse:
    room = _kept(request, room_id)
    if log.member_state(room_id, request.user.pk) is None:
        return redirect("messaging:room", room_id)
    words = rooms.search_words(request.GET.get("q", ""))
    found = room_page.members(room_id, request.GET.get("page"), words)
    return render(request, "rooms/people.html", {**found, "room": room, "words": words})


@require_http_methods(["GET", "POST"])
@login_required
def remove(request: HttpRequest, room_id: int, user_id: int) -> HttpResponse:
    return _asked(request, room_id, user_id, _ask_to_remove, _remove)


def _ask_to_remove(room: Room, person: User) -> Words:
    return {
        "title": _("Remove %(person)s from “%(room)s”?") % {"person": person, "room": room},
        "told": [
            _("Their seat is free at once, and what they have open of the room closes."),
            _("They may join again, as long as there is a free seat."),
        ],
        "button": _("Remove from the room"),
    }


def _remove(request: HttpRequest, room_id: int, person: User) -> HttpResponse:
    if not services.remove(room_id, person.pk, request.user):
        return _gone(request, room_id)
    messages.success(request, _("%(person)s was removed.") % {"person": person})
    return redirect("rooms:people", room_id)


@require_http_methods(["GET", "POST"])
@login_required
def hand_over(request: HttpRequest, room_id: int, user_id: int) -> HttpResponse:
    return _asked(request, room_id, user_id, _ask_to_hand_over, _hand_over)


def _ask_to_hand_over(room: Room, person: User) -> Words:
    return {
        "title": _("Make %(person)s the owner of “%(room)s”?") % {"person": person, "room": room},
        "told": [
            _("They may change and close the room, and remove people from it."),
            _("You stay a member, and can't take it back yourself."),
        ],
        "button": _("Make the owner"),
    }


def _hand_over(request: HttpRequest, room_id: int, person: User) -> HttpResponse:
    try:
        services.transfer_room(room_id, person.pk, request.user)
    except ValidationError:  # they left between our look and the change
        return _gone(request, room_id)
    messages.success(request, _("%(person)s is the owner now.") % {"person": person})
    return redirect("messaging:room", room_id)


def _asked(
    request: HttpRequest,
    room_id: int,
    user_id: int,
    question: Callable[[Room, User], Words],
    then: Callable[[HttpRequest, int, User], HttpResponse],
) -> HttpResponse:
    """The question about a member; `then` once it is answered."""
    room = _kept(request, room_id)
    person = _member(room_id, user_id)
    if person is None:
        return _gone(request, room_id)
    if request.method == "POST":
        return then(request, room_id, person)
    back = reverse("rooms:people", args=[room_id])
    words = question(room, person)
    return confirm.page(request, confirm.Question(**words, action=request.path, back=back))


def _kept(request: HttpRequest, room_id: int) -> Room:
    room = get_object_or_404(Room.objects.select_related("owner"), pk=room_id)
    rooms.check_may_manage(room, request.user)
    return room


def _member(room_id: int, user_id: int) -> User | None:
    """Names are told of members only, or numbers could be tried."""
    seat = history.seats(room_id).filter(user_id=user_id).first()
    return seat.user if seat else None


def _gone(request: HttpRequest, room_id: int) -> HttpResponse:
    messages.warning(request, _("They are not in the room any more."))
    return redirect("rooms:people", room_id)
