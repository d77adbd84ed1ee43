"""The sockets' routes; those of the pages are in urls.py."""

from django.conf import settings
from django.urls import re_path

from interfaces.original.consumer import OriginalConsumer, SockJSConsumer

_sockets = [
    re_path(r"^stomp/(?:chat|participant)/[^/.]+/[^/.]+/websocket$", SockJSConsumer.as_asgi()),
    re_path(r"^stomp/(?:chat|participant)/websocket$", OriginalConsumer.as_asgi()),
]
websocket_urlpatterns = _sockets if settings.ORIGINAL_CLIENT else []
