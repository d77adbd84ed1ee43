"""D3: more connections than anybody needs."""

import asyncio
import json
from contextlib import suppress
from typing import Any

from bench import client
from bench.ours import Person
from faults.run import Run, scenario

PERSON, ADDRESS, OTHERS = 10, 60, 40  # what each worker gives to one person and to one address
CAPS = {
    "PERSON_SOCKETS": str(PERSON),
    "ADDRESS_SOCKETS": str(ADDRESS),
    "ADDRESS_CONNECTIONS": str(OTHERS),
}
HANDSHAKE_SECONDS = 10.0
MORE = 3  # times what is given, at each worker


@scenario(
    "D3",
    "connections by the hundred: of one person, of one address, without a word",
    environment=CAPS,
)
async def connections(run: Run) -> None:
    """Each of them from an address of its own, so that it is known whom they hurt: nobody. The
    last ones say nothing at all, or begin a request and go on by a byte a second."""
    crowd = await run.crowd(6, 6)
    others = (await asyncio.to_thread(run.site.take, 12 + ADDRESS * MORE))[12:]
    ports = run.site.ports
    run.nemesis.begin("connections", "by the hundred")
    one = [_open(port, others[0], "127.0.0.2") for port in ports for _ in range(PERSON * MORE)]
    many = [_open(port, person, "127.0.0.3") for port in ports for person in others]
    async with crowd.talking(400 if run.is_full else 250, pause=0.05):
        silent = [
            asyncio.create_task(_say_nothing(port, drips=n % 2 == 0))
            for port in ports for n in range(OTHERS * MORE)
        ]  # fmt: skip
        of_person, of_address = await asyncio.gather(_opened(one), _opened(many))
        come = [run.member(f"newcomer {n}", crowd.all[n % 12].person, crowd.room, n % 2)
                for n in range(50)]  # fmt: skip
        for newcomer in come:
            newcomer.start()
        waits = await asyncio.gather(*silent)
    run.nemesis.end("connections", "by the hundred")
    for socket in (*of_person, *of_address):
        socket.close()
    run.bound("sockets_of_person", PERSON * len(ports), len(of_person), unit="")
    run.bound("sockets_of_address", ADDRESS * len(ports), len(of_address), unit="")
    # Fewer than it may have: they come at once, and a handshake is a connection until it is done.
    run.bound("sockets_at_all", OTHERS, len(of_address), unit="", at_least=True)
    run.bound("silent_for", HANDSHAKE_SECONDS + 1, max(waits))
    run.bound("silent_ones", OTHERS * len(ports), sum(wait > 1 for wait in waits), unit="")
    inside = sum(newcomer.is_connected for newcomer in come)
    run.bound("newcomers", 99, 100 * inside / len(come), unit="%", at_least=True)
    await run.judge(crowd)


class _Visit:
    """A socket, and what became of it."""

    def __init__(self) -> None:
        self.first: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def heard(self, payload: bytes) -> None:
        self._is(json.loads(payload)["type"])

    def gone(self) -> None:
        self._is("gone")

    def _is(self, what: str) -> None:
        if not self.first.done():
            self.first.set_result(what)


async def _open(port: int, person: Person, source: str) -> client.Socket | None:
    """Nothing if it was turned away, before or after the handshake."""
    visit = _Visit()
    try:
        async with asyncio.timeout(HANDSHAKE_SECONDS):
            socket = await client.connect(
                port, "/ws/", visit.heard, visit.gone, session=person.session, source=source
            )
            return socket if await visit.first == "hello" else None
    except (OSError, TimeoutError):
        return None


async def _opened(visits: list[Any]) -> list[client.Socket]:
    """Those that are still open when all have come."""
    found = [socket for socket in await asyncio.gather(*visits) if socket is not None]
    return [socket for socket in found if socket.is_open]


async def _say_nothing(port: int, *, drips: bool) -> float:
    """Seconds until the server has enough of it. Who `drips` says one byte a second."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    drip = b"GET /ws/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    with suppress(OSError):  # turned away
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, local_addr=("127.0.0.4", 0)
        )
        end = asyncio.ensure_future(reader.read(1))
        for place in range(2 * int(HANDSHAKE_SECONDS)):
            writer.write(drip[place : place + 1] if drips else b"")
            done, _ = await asyncio.wait([end], timeout=1)
            if done:
                break
        end.cancel()
        writer.transport.abort()
    return loop.time() - began
