"""Mounted at the root: conversations under rooms/<id>/, and what lobby_urls.py adds."""

from django.urls import include, path

from interfaces.web import room

conversation = [
    path("<number:room_id>/", room.room, name="room"),
    path("<number:room_id>/join/", room.join, name="join"),
    path("<number:room_id>/entrance/", room.entrance, name="entrance"),
    path("<number:room_id>/leave/", room.leave, name="leave"),
    path("<number:room_id>/leave/ask/", room.ask_leave, name="ask_leave"),
    path("<number:room_id>/history/", room.history, name="history"),
    path("<number:room_id>/missed/", room.missed, name="missed"),
    path("<number:room_id>/members/", room.members, name="members"),
]
urlpatterns = [
    path("rooms/", include((conversation, "messaging"))),
    path("", include("interfaces.web.lobby_urls")),
]
