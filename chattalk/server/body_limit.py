"""How much a request may bring: refused before Django stores any of it, whatever page it is for.

Django reads a body to its end, on disk where it is large, before it looks who sends it.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from django.utils import translation

from accounts.models import User
from core import refusal_log
from core.problems import CONTENT_TYPE, problem
from interfaces.api.parser import BODY_MAX, TooLarge
from interfaces.socket import authentication, handshake

FORMS_MAX = 256 * 1024  # bytes, of the admin's lists of check boxes; DATA_UPLOAD_MAX_MEMORY_SIZE

Receive = Callable[[], Awaitable[dict[str, Any]]]


class LimitedBody:
    """The body of one request, as Django is to receive it. Once it grows too large Django is told
    that the client is gone: it forgets what it has and answers nothing; `refuse` does."""

    def __init__(self, scope: dict[str, Any], receive: Receive) -> None:
        self._scope = scope
        self._most = FORMS_MAX if scope["path"].startswith("/admin/") else BODY_MAX
        named = dict(scope["headers"])
        # The server has read it as a number, and reads no more than that.
        self.is_too_large = int(named.get(b"content-length", 0)) > self._most
        self._came, self._receive = 0, receive
        self.receive = self._counted if b"transfer-encoding" in named else receive

    async def _counted(self) -> dict[str, Any]:
        message = await self._receive()
        self._came += len(message.get("body", b""))
        self.is_too_large = self._came > self._most
        return {"type": "http.disconnect"} if self.is_too_large else message

    async def refuse(self, send: Any) -> None:
        refusal_log.note("a body that is too large", handshake.address(self._scope))
        with translation.override(authentication.language(self._scope, User())):
            found = problem(413, "too_large", TooLarge(self._most).detail)
        body = json.dumps(found.body).encode()
        headers = [
            (b"content-type", CONTENT_TYPE.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"x-content-type-options", b"nosniff"),
        ]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": body})
