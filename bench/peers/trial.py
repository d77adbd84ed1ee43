"""A peer tried by hand: 20 members of a room, 50 messages, everyone gets all."""

import asyncio
import json
import time
from collections.abc import Callable, Iterable, Sequence

import websockets
from websockets.asyncio.client import ClientConnection

from bench import cpu, servers
from bench.peers import Absent, Peer

MEMBERS, MESSAGES, IN_FLIGHT = 20, 50, 16
WITHIN = 30  # seconds
ROOM = "1"


class Plain:
    """A socket per room."""

    async def enter(self, socket: ClientConnection) -> None: ...

    def said(self, body: str) -> str:
        return json.dumps({"message": body})

    def heard(self, frame: str) -> str | None:
        return json.loads(frame)["message"]


class SocketIO:
    """Engine.IO 4 below, Socket.IO 5 above."""

    async def enter(self, socket: ClientConnection) -> None:
        assert (await socket.recv(decode=True)).startswith("0{")
        await socket.send("40")
        assert (await socket.recv(decode=True)).startswith("40{")
        await socket.send(f'42["join","room-{ROOM}"]')
        assert await socket.recv(decode=True) == f'42["joined","room-{ROOM}"]'

    def said(self, body: str) -> str:
        return "42" + json.dumps(["msg", {"room": f"room-{ROOM}", "body": body}])

    def heard(self, frame: str) -> str | None:
        if not frame.startswith("42"):
            return None
        event, message = json.loads(frame[2:])
        assert event == "msg", frame
        return message["body"]


WIRES: dict[str, Plain | SocketIO] = {"plain": Plain(), "socketio": SocketIO()}


class Trial:
    def __init__(self, peer: Peer) -> None:
        self.wire = WIRES[peer.wire]
        self.address = f"ws://127.0.0.1:{peer.port}{peer.path.replace('%s', ROOM)}"
        self.free = asyncio.Semaphore(IN_FLIGHT)

    async def run(self) -> float:
        """The seconds it took. Raises if anyone missed a message or got one twice."""
        connect = [websockets.connect(self.address, compression=None) for _ in range(MEMBERS)]
        sockets = await asyncio.gather(*connect)
        try:
            await asyncio.gather(*map(self.wire.enter, sockets))
            began = time.monotonic()
            async with asyncio.timeout(WITHIN), asyncio.TaskGroup() as tasks:
                for number, socket in enumerate(sockets):
                    tasks.create_task(self._listen(socket, first=number == 0))
                tasks.create_task(self._talk(sockets))
            return time.monotonic() - began
        finally:
            await asyncio.gather(*(socket.close() for socket in sockets))

    async def _talk(self, sockets: Sequence[ClientConnection]) -> None:
        for number in range(MESSAGES):
            await self.free.acquire()
            await sockets[number % MEMBERS].send(self.wire.said(f"message {number} 안녕"))

    async def _listen(self, socket: ClientConnection, first: bool) -> None:
        bodies: list[str] = []
        while len(bodies) < MESSAGES:
            if (body := self.wire.heard(await socket.recv(decode=True))) is not None:
                bodies.append(body)
                if first:
                    self.free.release()
        assert set(bodies) == {f"message {n} 안녕" for n in range(MESSAGES)}, bodies


def attempt(peer: Peer, stores: servers.Servers) -> str:
    try:
        versions = peer.install()
    except Absent as why:
        return f"absent: {why}"
    peer.start(stores)
    try:
        roots = [*peer.pids, *servers.pids(stores, *peer.stores)]
        before = cpu.seconds(roots)
        seconds = asyncio.run(Trial(peer).run())
        used, memory = cpu.seconds(roots) - before, cpu.memory(peer.pids)
    finally:
        peer.stop()
    told = f"{MEMBERS} members got {MESSAGES} messages in {seconds:.2f} s, {used:.2f} s of CPU"
    known = ", ".join(f"{name} {version}" for name, version in versions.items())
    return f"{told}, {memory / 2**20:.0f} MiB; {known}"


def main(peers: Iterable[Callable[[], Peer]]) -> None:
    with servers.running() as stores:
        for make in peers:
            peer = make()
            print(f"{peer.name}: {attempt(peer, stores)}", flush=True)
