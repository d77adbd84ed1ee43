"""Thousands of sockets are looked after a part at a time: nobody else waits for all of them."""

import asyncio
from types import SimpleNamespace

import pytest

from messaging.live.connections import PART, Connections

MANY = 4 * PART


class Socket:
    name = "Alice"

    def __init__(self, person: int) -> None:
        self.proof = SimpleNamespace(user_id=person, session="s", mark="m", device=None)
        self.line = SimpleNamespace(check=self._checked)
        self.checks, self.beats, self.is_signed_out = 0, 0, False

    def _checked(self) -> None:
        self.checks += 1

    def beat(self) -> None:
        self.beats += 1

    def sign_out(self) -> None:
        self.is_signed_out = True


class Reads:
    """The sign-ins of the even ones hold."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    async def rows(self, _sql, *, users, **_params):
        people = [int(user) for user in users.strip("{}").split(",")]
        self.asked.append(len(people))
        await asyncio.sleep(0)
        return [(person % 2 == 0, None) for person in people]


@pytest.fixture
async def connections():
    made = Connections(Reads())
    yield made
    await made.close()


@pytest.fixture
async def sockets(connections):
    made = [Socket(person) for person in range(MANY)]
    for socket in made:
        connections.add(socket)
    return made


async def test_others_have_their_turn_while_all_lines_are_looked_at(connections, sockets):
    seen = []

    def look():
        seen.append(sum(socket.checks for socket in sockets))
        asyncio.get_running_loop().call_soon(look)

    look()
    await connections.check_lines(float("inf"))
    assert {PART, 2 * PART, 3 * PART} <= set(seen)
    assert all((socket.checks, socket.beats) == (1, 1) for socket in sockets)


async def test_who_goes_meanwhile_is_not_looked_after_and_stays_gone(connections, sockets):
    asyncio.get_running_loop().call_soon(connections.drop, sockets[-1])
    await connections.check_lines(float("inf"))
    assert sockets[-1].checks == 0
    assert sockets[-1] not in connections._sockets


async def test_sign_ins_are_asked_about_a_part_at_a_time(connections, sockets):
    await connections.check_sign_ins()
    assert connections._reads.asked == [PART] * 4
    assert [socket.is_signed_out for socket in sockets] == [False, True] * (MANY // 2)
