"""All sockets of a process are sent away, when it stops: who, and when they come back."""

import asyncio
from types import SimpleNamespace

import pytest

from messaging.live.close_codes import COME_BACK, CloseCode, close
from messaging.live.connections import Connections


class Socket:
    def __init__(self, person: int = 1) -> None:
        self.proof, self.sent = SimpleNamespace(user_id=person), []

    def send_away(self, between) -> None:
        self.sent.append(between)


@pytest.fixture
async def connections():
    made = Connections(reads=None)
    yield made
    await made.close()


async def test_who_was_just_coming_is_sent_away_as_the_others(connections):
    before, late = Socket(), Socket()
    connections.add(before)
    connections.send_away(is_relieved=True)
    connections.add(late)
    await asyncio.sleep(0)
    assert before.sent == late.sent == [(0.0, 0.1)]


@pytest.mark.parametrize("many, within", [(1, 0.1), (300, 1.0), (3000, 5.0)])
async def test_those_who_have_a_successor_come_back_as_fast_as_it_takes_them(
    connections, many, within
):
    sockets = [Socket(person) for person in range(many)]
    for socket in sockets:
        connections.add(socket)
    connections.send_away(is_relieved=True)
    assert all(socket.sent == [(0.0, within)] for socket in sockets)


async def test_those_who_have_none_take_the_usual_time(connections):
    connections.add(socket := Socket())
    connections.send_away(is_relieved=False)
    assert socket.sent == [None]
    assert close(CloseCode.RESTART, (7.0, 7.0))["reason"] == '{"retry_after":7.0}'
    assert COME_BACK[CloseCode.RESTART] == (0.5, 5.0)
