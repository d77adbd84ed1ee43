"""What was asked on the socket and has no answer yet: asked again by the same name until it has.

A name is the `cid` of a message, so that nothing is stored twice, or the `ref` of another frame.
"""

import asyncio
import random
from contextlib import suppress
from typing import Any

from chattalk_client.connection import FRAME_BYTES_MAX, Connection, encode
from chattalk_client.errors import Refused

ANSWER_WITHIN = 10.0  # seconds, then it is asked again
UNDER_WAY_MAX = 32  # messages at once; the site takes 64 of a socket
WAIT_AGAIN = (0.2, 2.0)  # seconds, from and to, where the site names none
AGAIN = {"unavailable", "too_many"}  # it may have been stored, or will be in a moment


class Outbox:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._waiting: dict[str, asyncio.Future[dict[str, Any] | None]] = {}
        self._places = asyncio.Semaphore(UNDER_WAY_MAX)

    async def send(self, message: dict[str, Any], *, is_patient: bool) -> dict[str, Any]:
        """The `ack` of a `send` frame. Who comes when too many are under way waits for a place.

        Raises Refused; where is_patient, not because of the pace: that is waited out.
        """
        _check(message)
        again = AGAIN | {"rate_limited"} if is_patient else AGAIN
        async with self._places:
            return await self.ask(message["cid"], message, again)

    async def ask(self, name: str, frame: dict[str, Any], again: set[str]) -> dict[str, Any]:
        """The answer. It is asked again where a `nack` has one of these codes, until it is taken.

        Raises Refused; and why the connection is over, if it is.
        """
        while True:
            answer = await self._answer(name, frame)
            if answer["type"] != "nack":
                return answer
            refusal = Refused.by_nack(answer)
            if refusal.code not in again:
                raise refusal
            await self._connection.pause(refusal.retry_after or random.uniform(*WAIT_AGAIN))

    async def _answer(self, name: str, frame: dict[str, Any]) -> dict[str, Any]:
        """Over as many connections as it takes."""
        if name in self._waiting:
            raise ValueError(f"{name} is under way already")
        try:
            while True:
                self._waiting[name] = asyncio.get_running_loop().create_future()
                await self._connection.tell(frame)
                with suppress(TimeoutError):
                    async with asyncio.timeout(ANSWER_WITHIN):
                        if (answer := await self._waiting[name]) is not None:
                            return answer
        finally:
            self._waiting.pop(name, None)

    def answered(self, name: str, frame: dict[str, Any]) -> bool:
        """Whether somebody waited for it. A second answer, to what was asked twice, nobody does."""
        waiting = self._waiting.get(name)
        if waiting is None:
            return False
        if not waiting.done():
            waiting.set_result(frame)
        return True

    def lost(self) -> None:
        """The connection is: whoever waits asks again on the next one."""
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_result(None)


def _check(message: dict[str, Any]) -> None:
    """What would be answered without its name, or by the end of the connection, is not sent."""
    if len(encode(message)) > FRAME_BYTES_MAX:
        raise Refused("too_long", "This is more than the site takes.")
    try:
        message["body"].encode()
    except UnicodeEncodeError:
        raise Refused("bad_text", "The text holds half of a character.") from None
