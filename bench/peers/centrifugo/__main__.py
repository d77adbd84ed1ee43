"""Try it by hand: python -m bench.peers.centrifugo"""

import json
from collections import deque

import redis
from websockets.asyncio.client import ClientConnection, connect

from bench.peers import talk
from bench.peers.centrifugo import Centrifugo, token
from bench.servers import Servers

ROOM = "room:1"


class Member:
    def __init__(self, socket: ClientConnection) -> None:
        self._socket, self._lines = socket, deque[str]()
        self._asked = 0

    async def ask(self, command: str, **fields: object) -> None:
        self._asked += 1
        await self._socket.send(json.dumps({"id": self._asked, command: fields}))

    async def answer(self, command: str) -> dict:
        while command not in (line := await self._line()):
            if "error" in line:
                raise AssertionError(f"{command}: {line}")
        return line[command]

    async def say(self, text: str) -> None:
        await self.ask("publish", channel=ROOM, data={"body": text})

    async def hear(self) -> str:
        return (await self.answer("push"))["pub"]["data"]["body"]

    async def leave(self) -> None:
        await self._socket.close()

    async def _line(self) -> dict:
        while not self._lines:
            self._lines.extend(str(await self._socket.recv()).split("\n"))
        if not (line := json.loads(self._lines.popleft())):
            await self._socket.send("{}")
        return line


def main() -> None:
    peer = Centrifugo()

    async def join(number: int) -> Member:
        url = f"ws://127.0.0.1:{peer.port}{peer.path}"
        member = Member(await connect(url, compression=None))
        await member.ask("connect", token=token(f"user {number}"))
        await member.answer("connect")
        await member.ask("subscribe", channel=ROOM)
        await member.answer("subscribe")
        return member

    def kept(stores: Servers) -> str:
        with redis.Redis.from_url(stores.redis) as store:
            keys = list(store.scan_iter(f"centrifugo-{peer.port}.*"))
            kept = [store.xlen(key) for key in keys if store.type(key) == b"stream"]
            return f"{kept} kept for recovery, {len(keys)} keys in all"

    talk.run(peer, join, kept)


if __name__ == "__main__":
    main()
