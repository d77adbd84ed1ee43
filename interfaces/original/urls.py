"""The original's paths, without slashes at the end: a redirect of a POST breaks its page."""

from django.conf import settings
from django.urls import path

from interfaces.original import rest

app_name = "original"
_paths = [
    path("api/users/signup", rest.SignUp.as_view(), name="signup"),
    path("api/users/login", rest.Login.as_view(), name="login"),
    path("api/users/logout", rest.Logout.as_view(), name="logout"),
    path("api/open-chats", rest.OpenRooms.as_view(), name="rooms"),
    path("api/open-chats/subscribe", rest.MyRooms.as_view(), name="mine"),
    path("api/open-chats/create", rest.Create.as_view(), name="create"),
    path("api/open-chats/read/", rest.Unread.as_view(), {"chat_id": ""}, name="read-nothing"),
    path("api/open-chats/read/<str:chat_id>", rest.Unread.as_view(), name="read"),
    path("stomp/chat/info", rest.info, name="chat-info"),
    path("stomp/participant/info", rest.info, name="participant-info"),
]
urlpatterns = _paths if settings.ORIGINAL_CLIENT else []
