from django.contrib import admin
from django.http import HttpRequest

from rooms.models import Membership, Room


class LookOnly(admin.ModelAdmin):
    """Seats, counts and the log belong together: they change through the services only."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(Room)
class RoomAdmin(LookOnly):
    list_display = ["title", "owner", "personnel", "capacity", "active_at", "closed_at"]
    list_filter = [("closed_at", admin.EmptyFieldListFilter)]
    list_select_related = ["owner"]
    search_fields = ["title", "owner__email"]


@admin.register(Membership)
class MembershipAdmin(LookOnly):
    list_display = ["room", "user", "role", "joined_at"]
    list_select_related = ["room", "user"]
    search_fields = ["room__title", "user__email"]
