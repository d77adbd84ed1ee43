import django
from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import path

django.setup()

from .consumers import Chat  # noqa: E402  (the apps come first)

rooms = [path("ws/chat/<slug:room>/", Chat.as_asgi())]
application = ProtocolTypeRouter({"websocket": URLRouter(rooms)})
