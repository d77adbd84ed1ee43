from django.urls import path

from interfaces.stomp.consumer import StompConsumer

websocket_urlpatterns = [path("stomp", StompConsumer.as_asgi())]
