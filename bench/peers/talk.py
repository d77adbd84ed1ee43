"""Try a peer whose wire is a dialogue: 20 members of one room say 50 things, and each hears all of
them in the same order. (Where a frame is a message, trial.py does.)"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

from bench import cpu, servers
from bench.peers import Peer

MEMBERS, MESSAGES = 20, 50
PATIENCE = 30  # seconds, for all of it


class Member(Protocol):
    async def say(self, text: str) -> None: ...

    async def hear(self) -> str:
        """The next text that was said in the room, by whomever."""

    async def leave(self) -> None: ...


async def talk(join: Callable[[int], Awaitable[Member]]) -> float:
    """Seconds from the first word until the last member has heard the last one."""
    members = [await join(number) for number in range(MEMBERS)]
    said = [f"message {number}" for number in range(MESSAGES)]
    began = time.monotonic()
    for number, text in enumerate(said):
        await members[number % MEMBERS].say(text)
    heard = await asyncio.gather(*map(_listen, members))
    took = time.monotonic() - began
    await asyncio.gather(*(member.leave() for member in members))
    if sorted(heard[0]) != sorted(said):
        raise AssertionError(f"said {said}, heard {heard[0]}")
    if any(order != heard[0] for order in heard):
        raise AssertionError("they heard it in different orders")
    return took


async def _listen(member: Member) -> list[str]:
    return [await member.hear() for _ in range(MESSAGES)]


def run(
    peer: Peer,
    join: Callable[[int], Awaitable[Member]],
    after: Callable[[servers.Servers], str] = lambda stores: "",
) -> None:
    """Install, start, talk, stop; `after` looks into the stores and says what it found."""
    print(peer.name, peer.install())
    with servers.running() as stores:
        peer.start(stores)
        try:
            before = cpu.seconds(peer.pids)
            took = asyncio.run(asyncio.wait_for(talk(join), PATIENCE))
            used, held = cpu.seconds(peer.pids) - before, cpu.memory(peer.pids)
            print(f"{MEMBERS} members heard all {MESSAGES} messages in one order, in {took:.3f} s")
            print(f"{used:.2f} s of its CPU with the joining, {held >> 20} MiB; {after(stores)}")
        finally:
            peer.stop()
