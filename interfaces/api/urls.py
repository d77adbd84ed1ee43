"""All routes of /api/v1/ on one page."""

from django.urls import URLPattern, path

from interfaces.api import account, devices, events, members, rooms

urlpatterns: list[URLPattern] = [
    path("accounts/", account.Accounts.as_view()),
    path("tokens/", devices.Tokens.as_view()),
    path("tokens/refresh/", devices.Refresh.as_view()),
    path("tokens/verify/", devices.Verify.as_view()),
    path("tokens/revoke/", devices.Revoke.as_view()),
    path("devices/", devices.Devices.as_view()),
    path("devices/<uuid:device_id>/", devices.OneDevice.as_view()),
    path("tickets/", devices.Tickets.as_view()),
    path("me/", account.Profile.as_view()),
    path("me/password/", account.Password.as_view()),
    path("unread/", events.MyUnread.as_view()),
    path("rooms/", rooms.Rooms.as_view()),
    path("rooms/<number:room_id>/", rooms.OneRoom.as_view()),
    path("rooms/<number:room_id>/close/", rooms.Close.as_view()),
    path("rooms/<number:room_id>/reopen/", rooms.Reopen.as_view()),
    path("rooms/<number:room_id>/transfer/", rooms.Transfer.as_view()),
    path("rooms/<number:room_id>/membership/", members.MyMembership.as_view()),
    path("rooms/<number:room_id>/members/", members.Members.as_view()),
    path("rooms/<number:room_id>/members/<number:user_id>/", members.OneMember.as_view()),
    path("rooms/<number:room_id>/participants/", members.RoomParticipants.as_view()),
    path("rooms/<number:room_id>/events/", events.Events.as_view()),
    path("rooms/<number:room_id>/missed/", events.MissedEvents.as_view()),
    path("rooms/<number:room_id>/read/", events.ReadPosition.as_view()),
]
