"""The site, for another ASGI server; /behind says whether that server's transport is known."""

from chattalk.asgi import application as site
from messaging.live.transport import behind


async def application(scope, receive, send):
    if scope["type"] == "websocket" and scope["path"] == "/behind":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": repr(behind(send))})
        await receive()
    else:
        await site(scope, receive, send)
