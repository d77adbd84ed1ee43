"""The conversation page and what its script fetches. Members only; others find an entrance."""

from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts import pace
from messaging import pages, problems, queries, services
from rooms import services as rooms
from rooms.models import Room


@require_GET
@login_required
def room(request: HttpRequest, room_id: int) -> HttpResponse:
    room = get_object_or_404(Room.objects.select_related("owner"), pk=room_id)
    if (standing := queries.standing(room.pk, request.user.pk)) is None:
        return _entrance(request, room)
    return render(request, "messaging/room.html", pages.conversation(room, request.user, standing))


def _entrance(
    request: HttpRequest, room: Room, refusal: str = "", status: int = 200
) -> HttpResponse:
    manages = rooms.may_manage(room, request.user)
    context = {"room": room, "refusal": refusal, "manages": manages}
    return render(request, "messaging/entrance.html", context, status=status)


@require_POST
@login_required
def join(request: HttpRequest, room_id: int) -> HttpResponse:
    room = get_object_or_404(Room.objects.select_related("owner"), pk=room_id)
    try:
        services.join(room.pk, request.user)
    except ValidationError as refusal:
        room.refresh_from_db()
        page = _entrance(request, room, refusal.messages[0], status=409)
        return pace.told(page, [refusal])
    return redirect("messaging:room", room_id)


@require_POST
@login_required
def leave(request: HttpRequest, room_id: int) -> HttpResponse:
    get_object_or_404(Room, pk=room_id)
    services.leave(room_id, request.user)
    return redirect("lobby")


@require_GET
@login_required
def history(request: HttpRequest, room_id: int) -> JsonResponse:
    _standing(request, room_id)
    try:
        span = pages.span(request.GET)
    except ValidationError as refusal:
        problem = problems.refused(refusal).body
        return JsonResponse(problem, status=problem["status"], content_type=problems.CONTENT_TYPE)
    # In its own letters: escaped, they are up to three times as long (messaging/wire.py, `size`).
    return JsonResponse(pages.history(room_id, **span), json_dumps_params={"ensure_ascii": False})


@require_GET
@login_required
def missed(request: HttpRequest, room_id: int) -> JsonResponse:
    standing = _standing(request, room_id)
    counted = {"read": standing.read_seq, "head": standing.head}  # between these two
    return JsonResponse(pages.missed(room_id, request.user.pk) | counted)


@require_GET
@login_required
def members(request: HttpRequest, room_id: int) -> HttpResponse:
    _standing(request, room_id)
    context = pages.members(room_id, request.GET.get("page"))
    return render(request, "messaging/_members.html", context)


def _standing(request: HttpRequest, room_id: int) -> queries.Standing:
    """My place in the room. For others it does not exist."""
    standing = queries.standing(room_id, request.user.pk)
    if standing is None:
        raise Http404
    return standing
