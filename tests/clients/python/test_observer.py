"""What an observer is told: the line as it is, not what the client makes of it."""

import asyncio

import pytest
from chattalk_client import ChatTalk, Failed, Observer
from websockets.asyncio.server import serve

from tests.clients.python.test_ends import HELLO, SUBSCRIBED, Small, line


class Notes(Observer):
    def __init__(self):
        self.told = []

    def connecting(self, url):
        self.told.append("connecting")

    def sent(self, frame):
        self.told.append(("sent", frame["type"], frame.get("after")))

    def heard(self, frame):
        self.told.append(("heard", frame["type"], frame.get("seq")))

    def lost(self, loss):
        self.told.append(("lost", loss.code))


async def told_at(small, observer, count):
    """The `seq` of so many events, as they are given out."""
    async with asyncio.timeout(30), serve(small, "127.0.0.1", 0, subprotocols=["chattalk"]) as site:
        url = f"http://127.0.0.1:{site.sockets[0].getsockname()[1]}"
        async with ChatTalk(url, access="a-token", observer=observer) as chat:
            events = (await chat.enter(7)).events()
            return [(await anext(events)).seq for _ in range(count)]


async def test_a_line_that_comes_twice_is_told_twice_and_given_out_once():
    notes = Notes()
    small = Small([HELLO, SUBSCRIBED, line(1), line(1), line(2)])
    assert await told_at(small, notes, 2) == [1, 2]
    assert notes.told == [
        "connecting",
        ("heard", "hello", None),
        ("sent", "subscribe", None),
        ("heard", "subscribed", None),
        ("heard", "event", 1),
        ("heard", "event", 1),
        ("heard", "event", 2),
    ]


async def test_each_end_is_told_with_its_code_and_each_beginning():
    notes = Notes()
    again = SUBSCRIBED | {"head": 1, "after": 1}
    small = Small([HELLO, SUBSCRIBED, line(1), 1012], [HELLO, again, line(2)])
    assert await told_at(small, notes, 2) == [1, 2]
    end = notes.told.index(("lost", 1012))
    assert notes.told[end + 1] == "connecting"
    assert notes.told[end + 3] == ("sent", "subscribe", 1)


async def test_what_an_observer_raises_ends_the_client():
    class Broken(Observer):
        def heard(self, frame):
            raise ZeroDivisionError

    with pytest.raises(Failed, match="ZeroDivisionError"):
        await told_at(Small([HELLO]), Broken(), 1)
