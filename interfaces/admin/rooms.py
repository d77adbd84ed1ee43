"""Rooms, as staff see and keep them: through the services, and without reading along.

What is said is shown nowhere here. It can be taken out as a file, which is on the audit trail.
"""

from datetime import timedelta

from django import forms
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import F
from django.forms import model_to_dict
from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from interfaces.admin.object_actions import Panel, Step, StepsAdmin
from interfaces.admin.people import PersonAdmin
from interfaces.web import room_page
from interfaces.web.room_forms import RoomForm
from messaging import services
from messaging.services import export
from presence import services as presence
from rooms.models import Membership, Room

ROOMS_OF_PERSON = 25  # on one page
UNKNOWN = "–"


class ExportForm(forms.Form):
    shape = forms.ChoiceField(
        label=_("As"),
        choices=[("csv", _("CSV, for spreadsheets")), ("json", _("JSON, exact"))],
        initial="csv",
        widget=forms.RadioSelect,
    )


def _room_form(room, by, data):
    return RoomForm(data, initial=model_to_dict(room, RoomForm.Meta.fields))


def _export_form(room, by, data):
    return ExportForm(data)


def _edit(room, by, **fields):
    services.edit_room(room.pk, by, **fields)
    return _("The room is changed.")


def _close(room, by):
    was_open = services.close_room(room.pk, by)
    return _("The room is closed.") if was_open else _("It was closed before.")


def _reopen(room, by):
    was_closed = services.reopen_room(room.pk, by)
    return _("The room is open again.") if was_closed else _("It was open before.")


def _transfer(room, by, person):
    services.transfer_room(room.pk, person.pk, by)
    return _("%(person)s is the owner now.") % {"person": person}


def _remove(room, by, person):
    had_seat = services.remove(room.pk, person.pk, by)
    text = _("%(person)s was removed.") if had_seat else _("%(person)s had no seat.")
    return text % {"person": person}


def _export(room, by, shape):
    head = services.export_log(room.pk, by, shape)
    lines = export.SHAPES[shape].stream(room.pk, head)
    response = StreamingHttpResponse(lines, content_type=export.SHAPES[shape].content_type)
    response["Content-Disposition"] = f'attachment; filename="room-{room.pk}.{shape}"'
    response["Cache-Control"] = "private, no-store"
    return response


class StateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request, model_admin):
        return [("open", _("open")), ("closed", _("closed"))]

    def queryset(self, request, rooms):
        asked = {"open": True, "closed": False}.get(self.value())
        return rooms if asked is None else rooms.filter(closed_at__isnull=asked)


class SeatsFilter(admin.SimpleListFilter):
    title = _("seats")
    parameter_name = "seats"

    def lookups(self, request, model_admin):
        return [("full", _("full")), ("free", _("some free")), ("empty", _("nobody in it"))]

    def queryset(self, request, rooms):
        match self.value():
            case "full":
                return rooms.filter(personnel__gte=F("capacity"))
            case "free":
                return rooms.filter(personnel__lt=F("capacity"))
            case "empty":
                return rooms.filter(personnel=0)
        return rooms


class ActivityFilter(admin.SimpleListFilter):
    title = _("last activity")
    parameter_name = "active"
    spans = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}

    def lookups(self, request, model_admin):
        return [("hour", _("last hour")), ("day", _("last day")), ("week", _("last week"))]

    def queryset(self, request, rooms):
        span = self.spans.get(self.value())
        return rooms.filter(active_at__gte=timezone.now() - span) if span else rooms


class RoomList(ChangeList):
    def get_results(self, request):
        super().get_results(request)
        self.result_list = list(self.result_list)
        here = presence.here([room.pk for room in self.result_list])
        for room in self.result_list:
            room.here = None if here is None else here[room.pk]


@admin.register(Room)
class RoomAdmin(StepsAdmin):
    steps = [
        Step("edit", _("Change the room…"), "", _edit, _room_form),
        Step(
            "export",
            _("Export the log…"),
            _("Everything that was said, as a file. That you took it out is on the trail."),
            _export,
            _export_form,
        ),
        Step(
            "close",
            _("Close the room…"),
            _("Nobody enters or writes any more. Members can still read."),
            _close,
            offered=lambda room, by: not room.is_closed,
            many=_("Close the rooms"),
            is_destructive=True,
        ),
        Step(
            "reopen",
            _("Open it again…"),
            _("People enter and write again."),
            _reopen,
            offered=lambda room, by: room.is_closed,
            many=_("Open the rooms again"),
        ),
        Step(
            "transfer",
            _("Make them the owner…"),
            _("They may change and close the room; who was the owner stays a member."),
            _transfer,
            takes_person=True,
        ),
        Step(
            "remove",
            _("Remove from the room…"),
            _("Their seat is free at once, and their open windows are told."),
            _remove,
            takes_person=True,
            is_destructive=True,
        ),
    ]
    list_display = ["title", "owner", "seats", "log_lines", "here_now", "active_at", "state"]
    list_filter = [StateFilter, SeatsFilter, ActivityFilter]
    list_select_related = ["owner"]
    list_per_page = 50
    show_full_result_count = False
    ordering = ["-active_at", "-pk"]
    search_fields = ["title", "owner__email", "owner__display_name"]
    fieldsets = [
        (None, {"fields": ["title", "description", "owner", "seats", "state"]}),
        (_("Log"), {"fields": ["log_lines", "last_line", "created_at"]}),
    ]

    def get_changelist(self, request, **kwargs):
        return RoomList

    @admin.display(description=_("members"), ordering="personnel")
    def seats(self, room):
        return format_html(
            '<span class="seats">'
            '<meter aria-hidden="true" min="0" max="{1}" high="{2}" value="{0}"></meter> '
            "{0}&nbsp;/&nbsp;{1}</span>",
            room.personnel,
            room.capacity,
            room.capacity - 1,
        )

    @admin.display(description=_("lines of the log"), ordering="last_seq")
    def log_lines(self, room):
        """With entering and leaving. The log has no holes, so its last line says how many."""
        return f"{room.last_seq:,}"

    @admin.display(description=_("last line"))
    def last_line(self, room):
        return date_format(room.last_event_at, "DATETIME_FORMAT")

    @admin.display(description=_("here now"))
    def here_now(self, room):
        return UNKNOWN if room.here is None else room.here

    @admin.display(description=_("state"), ordering="closed_at")
    def state(self, room):
        if room.is_closed:
            return _("closed")
        return _("full") if room.is_full else _("open")

    def panels(self, request, room):
        return [Panel("admin/_members.html", room_page.members(room.pk, request.GET.get("page")))]


def rooms_of(request, person):
    # Uses index: the one of rooms_membership.user_id
    seats = Membership.objects.filter(user=person).select_related("room")
    shown = Paginator(seats.order_by("-room__active_at", "pk"), ROOMS_OF_PERSON)
    owned = Room.objects.filter(owner=person).count()
    page = shown.get_page(request.GET.get("page"))
    return Panel("admin/_rooms_of.html", {"seats": page, "owned": owned, "person": person})


PersonAdmin.more_panels.append(rooms_of)
