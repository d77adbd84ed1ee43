"""One message by any of the doors, each step of it in the history.

A door is opened once and asked as often as one likes: `say` is `Answer(seq, code, repeated)`.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol

from bench import client
from bench.ours import Person
from faults import rest
from faults.run import Run
from interfaces.stomp.frames import Frame, Parser, encode

ANSWER_WITHIN = 20.0  # seconds


class Answer(NamedTuple):
    seq: int
    code: str = ""  # why not
    repeated: bool = False


class Door(Protocol):
    name: str

    async def say(self, room: int, cid: str, body: str) -> Answer: ...

    def close(self) -> None: ...


async def say(run: Run, door: Door, room: int, cid: str, body: str) -> Answer:
    """`conflict` says nothing of the one who was first under this id, so it is no failure of it."""
    run.history.add(door.name, "send", "invoke", room=room, cid=cid)
    async with asyncio.timeout(ANSWER_WITHIN):
        answer = await door.say(room, cid, body)
    phase = "ok" if not answer.code else "info" if answer.code == "conflict" else "fail"
    run.history.add(door.name, "send", phase, room=room, cid=cid, seq=answer.seq, note=answer.code)
    return answer


class Rest:
    def __init__(self, port: int, person: Person) -> None:
        self.name, self._port, self._person = f"rest {person.id}", port, person

    async def say(self, room: int, cid: str, body: str) -> Answer:
        path, draft = f"/api/v1/rooms/{room}/events/", {"cid": cid, "body": body}
        answer = await rest.ask(self._port, "POST", path, self._person, draft)
        if answer.status >= 300:
            return Answer(0, answer.code or str(answer.status))
        return Answer(answer.said["seq"], repeated=answer.said["repeated"])

    def close(self) -> None:
        """It holds nothing."""


class Socket:
    """`/ws/`; one message at a time, said once: of a client that says it again nobody could tell
    which of its copies was answered."""

    def __init__(self, person: Person) -> None:
        self.name = f"socket {person.id}"

    async def open(self, port: int, person: Person) -> None:
        self._socket = await client.connect(port, "/ws/", self._heard, session=person.session)

    async def say(self, room: int, cid: str, body: str) -> Answer:
        self._answer = asyncio.get_running_loop().create_future()
        self._socket.frame(type="send", room=room, cid=cid, body=body)
        return await self._answer

    def _heard(self, payload: bytes) -> None:
        frame = json.loads(payload)
        if frame["type"] == "ack":
            self._answer.set_result(Answer(frame["seq"], repeated=frame["repeated"]))
        elif frame["type"] == "nack":
            self._answer.set_result(Answer(0, frame["code"]))

    def close(self) -> None:
        self._socket.close()


class Stomp:
    """`/stomp`; one message at a time."""

    def __init__(self, person: Person) -> None:
        self.name, self._parser = f"stomp {person.id}", Parser()

    async def open(self, port: int, person: Person) -> None:
        self._socket = await client.connect(port, "/stomp", self._heard, session=person.session)
        await self._ask("CONNECT", **{"accept-version": "1.2", "host": "127.0.0.1"})
        errors = {"id": "e", "destination": "/user/queue/errors", "receipt": "e"}
        await self._ask("SUBSCRIBE", **errors)

    async def say(self, room: int, cid: str, body: str) -> Answer:
        text = json.dumps({"chatId": str(room), "message": body})
        sent = {"destination": "/send/chat/message", "client-id": cid, "receipt": cid}
        headers = (await self._ask("SEND", text, **sent)).headers
        if code := headers.get("code"):
            return Answer(0, code)
        return Answer(int(headers["seq"]))

    async def _ask(self, command: str, body: str = "", **headers: str) -> Frame:
        self._answer = asyncio.get_running_loop().create_future()
        self._socket.say(encode(command, headers, body, "1.2"))
        return await self._answer

    def _heard(self, payload: bytes) -> None:
        for frame in self._parser.feed(payload):
            assert isinstance(frame, Frame), frame
            self._answer.set_result(frame)

    def close(self) -> None:
        self._socket.close()


async def each(ports: list[int], person: Person, count: int) -> list[Door]:
    """So many, of all three kinds in turn and at each of the workers."""
    kinds: list[Callable[[int], Awaitable[Door]]] = [
        lambda port: _rest(port, person),
        lambda port: _opened(Socket(person), port, person),
        lambda port: _opened(Stomp(person), port, person),
    ]
    opening = [kinds[n % 3](ports[n // 3 % len(ports)]) for n in range(count)]
    return list(await asyncio.gather(*opening))


async def _rest(port: int, person: Person) -> Door:
    return Rest(port, person)


async def _opened(door: Socket | Stomp, port: int, person: Person) -> Door:
    await door.open(port, person)
    return door
