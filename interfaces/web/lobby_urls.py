"""Mounted at the root: the lobby, and the forms for rooms (named `rooms:…`)."""

from django.urls import include, path

from interfaces.web import lobby, people

rooms = [
    path("new/", lobby.create, name="create"),
    path("<number:room_id>/edit/", lobby.edit, name="edit"),
    path("<number:room_id>/close/", lobby.close, name="close"),
    path("<number:room_id>/reopen/", lobby.reopen, name="reopen"),
    path("<number:room_id>/people/", people.people, name="people"),
    path("<number:room_id>/people/<number:user_id>/remove/", people.remove, name="remove"),
    path("<number:room_id>/people/<number:user_id>/hand-over/", people.hand_over, name="hand_over"),
]
urlpatterns = [
    path("", lobby.lobby, name="lobby"),
    path("lobby/mine/", lobby.mine, name="lobby_mine"),
    path("lobby/rooms/", lobby.listing, name="lobby_rooms"),
    path("rooms/", include((rooms, "rooms"))),
]
