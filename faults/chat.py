"""The client that everybody has (clients/python), on a line that can be cut, with waits that a seed
throws. It comes back, resumes, says again and mends holes by itself."""

import random
from typing import Any

from chattalk_client import ChatTalk
from chattalk_client.backoff import Backoff


class Chat(ChatTalk):
    def __init__(self, ports: list[int], dice: random.Random, **options: Any) -> None:
        super().__init__([f"http://127.0.0.1:{port}" for port in ports], **options)
        self._connection._backoff = Backoff(dice)

    def cut(self) -> None:
        """The line is gone, without a word to the other side."""
        if (socket := self._connection._socket) is not None:
            socket.transport.abort()

    async def frame(self, **fields: Any) -> None:
        """As it is, on the connection of now, if there is one."""
        await self._connection.hint(fields)
