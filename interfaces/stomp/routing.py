"""The sockets' routes; those of the pages are in interfaces/original/urls.py."""

from django.conf import settings
from django.urls import path, re_path

from interfaces.stomp.consumer import OriginalConsumer, SockJSConsumer, StompConsumer

_originals = [
    re_path(r"^stomp/(?:chat|participant)/[^/.]+/[^/.]+/websocket$", SockJSConsumer.as_asgi()),
    re_path(r"^stomp/(?:chat|participant)/websocket$", OriginalConsumer.as_asgi()),
]
websocket_urlpatterns = [
    path("stomp", StompConsumer.as_asgi()),
    *(_originals if settings.ORIGINAL_CLIENT else []),
]
