"""Mounted at the root: conversations under rooms/<id>/, and what urls_lobby.py adds."""

from django.urls import include, path

from messaging import views

conversation = [
    path("<number:room_id>/", views.room, name="room"),
    path("<number:room_id>/join/", views.join, name="join"),
    path("<number:room_id>/entrance/", views.entrance, name="entrance"),
    path("<number:room_id>/leave/", views.leave, name="leave"),
    path("<number:room_id>/leave/ask/", views.ask_leave, name="ask_leave"),
    path("<number:room_id>/history/", views.history, name="history"),
    path("<number:room_id>/missed/", views.missed, name="missed"),
    path("<number:room_id>/members/", views.members, name="members"),
]
urlpatterns = [
    path("rooms/", include((conversation, "messaging"))),
    path("", include("messaging.urls_lobby")),
]
