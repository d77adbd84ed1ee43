"""Mounted at the root: the lobby, and the forms for rooms (named `rooms:…`)."""

from django.urls import include, path

from messaging import lobby

rooms = [
    path("new/", lobby.create, name="create"),
    path("<int:room_id>/edit/", lobby.edit, name="edit"),
    path("<int:room_id>/close/", lobby.close, name="close"),
    path("<int:room_id>/reopen/", lobby.reopen, name="reopen"),
]
urlpatterns = [
    path("", lobby.lobby, name="lobby"),
    path("lobby/mine/", lobby.mine, name="lobby_mine"),
    path("lobby/rooms/", lobby.listing, name="lobby_rooms"),
    path("rooms/", include((rooms, "rooms"))),
]
