"""Django's answers: each request goes to a thread once, and first the requests of who is in."""

import asyncio
from typing import IO, Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.urls import set_script_prefix

from chattalk.server import body_limit, crowds, memory, requests
from core.tasks import end
from core.threads import Threads, TooLate
from presence.room_state import now_micros

FEW = 8  # threads; they take turns at one interpreter
MOST = 64  # where they wait for others
LONGEST = 15.0  # seconds, of who is in
# One thread for each connection to the database that pages have, at most: they are returned to the
# pool only at the end of a request.
threads = Threads(
    few=min(FEW, settings.DATABASE_CONNECTIONS - settings.READ_CONNECTIONS - 1),
    most=MOST,
    longest=LONGEST,
    longest_new=crowds.LONGEST,
)


class Pages(ASGIHandler):
    """As Django does it, each middleware goes to a thread for each half of its work and comes back,
    and each request has a thread of its own, to which it goes three times: more than half of the
    cost of a small answer."""

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=False)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        scope["asked_at"] = now_micros()  # before the wait for a thread, which may turn two around
        body = body_limit.LimitedBody(scope, receive)
        with memory.requests:
            if not body.is_too_large:
                await self.handle(scope, body.receive, send)
            if body.is_too_large:
                await body.refuse(send)

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        try:
            response = await self._in_turn(scope, body)
        except TooLate:
            await crowds.put_off(scope, send)
            return
        finally:
            body.close()
        if response.streaming:
            await self._stream(response, receive, send)
        else:
            await self.send_response(response, send)

    async def _in_turn(self, scope: Any, body: IO[bytes]) -> Any:
        is_new = crowds.is_new(scope)
        if is_new and crowds.is_late(threads):
            raise TooLate
        return await threads.run(lambda: self._answer(scope, body), is_new=is_new)

    def _answer(self, scope: Any, body: IO[bytes]) -> Any:
        """In a thread."""
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=type(self), scope=scope)
        request, refused = self.create_request(scope, body)
        response: Any = refused if request is None else self.get_response(request)
        requests.note(response.status_code, scope["asked_at"])
        response._handler_class = type(self)
        if response.streaming:
            signals.request_finished.send(sender=type(self))  # what follows is another thread's
        else:
            response.close()  # it is whole: who reads it slowly needs no connection for that
        return response

    async def _stream(self, response: Any, receive: Any, send: Any) -> None:
        """Until it is read, or nobody reads it any more."""
        sending = asyncio.create_task(self.send_response(response, send))
        gone = asyncio.create_task(receive())
        try:
            await asyncio.wait([sending, gone], return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
        finally:
            await end(sending, gone)
            await sync_to_async(response.close, thread_sensitive=False)()
