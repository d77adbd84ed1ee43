"""Nothing is told where nobody else listens, and whoever comes misses nothing by that. Several
processes, each with its own side of the channel layer, over a real Redis."""

import asyncio
from contextlib import asynccontextmanager
from uuid import uuid4

import msgspec
import pytest
from django.conf import settings

from core import redis
from core.postgresql.reads import Reads
from messaging.live import broker, entries
from messaging.live.broker import PEOPLE, Broker, group
from messaging.live.channel_layer import Ear
from messaging.live.drafts import Draft
from messaging.live.entries import by_room, heard_in
from messaging.live.hub import Hub
from messaging.live.source import Source
from messaging.live.writer import Writer
from messaging.log.event import Event, Person
from tests.messaging.conftest import person
from tests.messaging.test_feed import AT
from tests.messaging.test_pubsub import process

alone = pytest.mark.skipif(
    redis.is_cluster(settings.REDIS_URL), reason="in a cluster nobody believes to be alone"
)
AT_ONCE = 2.0  # seconds, on a busy machine; the look at the heads comes after 5


class Process:
    """A hub of its own with a writer, and what it told and hands out."""

    def __init__(self, layer, monkeypatch):
        monkeypatch.setattr(broker, "get_channel_layer", lambda: layer)
        self.layer, self.reads, self.heard, self.told = layer, Reads(), [], []
        self.hub = Hub(uuid4().hex, self.reads)
        self.broker = self.hub.broker
        self.writer = Writer(self.hub.stored)
        publish = layer.publish_many

        async def noting(messages, by=None):
            self.told += [(to, msgspec.msgpack.decode(message)) for to, message in messages]
            return await publish(messages, by)

        monkeypatch.setattr(layer, "publish_many", noting)

    def take(self, lines):
        self.heard += range(lines.first, lines.last + 1)

    async def hold(self, room_id):
        feed = await self.hub.hold(room_id)
        feed.listeners.add(self)
        return feed

    async def say(self, room, user, *bodies):
        await asyncio.gather(
            *(self.writer.put(Draft(room.pk, person(user), uuid4(), body)) for body in bodies)
        )
        await asyncio.sleep(0)  # the senders are answered first
        await asyncio.sleep(0)
        while self.broker._teller:
            await asyncio.sleep(0.01)

    async def close(self):
        await self.writer.close()
        await self.hub.close()
        await self.reads.close()


@asynccontextmanager
async def processes(many, monkeypatch):
    found = []
    for _ in range(many):
        side = process(settings.REDIS_URL)
        found.append((side, Process(await side.__aenter__(), monkeypatch)))
        await found[-1][1].broker.join(PEOPLE)
    yield [one for _, one in found]
    for side, one in found:
        await one.close()
        await side.__aexit__(None, None, None)


async def until(fulfilled, seconds=AT_ONCE):
    async with asyncio.timeout(seconds):
        while not fulfilled():
            await asyncio.sleep(0.01)


@alone
async def test_who_is_alone_tells_nobody_a_line(room, bob, monkeypatch):
    async with processes(1, monkeypatch) as [here]:
        await here.hold(room.pk)
        here.told.clear()
        for body in "abc":
            await here.say(room, bob, body)
        here.broker.publish(room.pk, {"type": "typing"})
        await asyncio.sleep(0.05)
        assert (here.heard, here.told) == ([3, 4, 5], [])


@alone
async def test_what_is_said_alone_and_after_a_second_one_came_is_there_at_once(
    room, bob, monkeypatch
):
    async with processes(1, monkeypatch) as [here]:
        await here.say(room, bob, "alone")
        async with processes(1, monkeypatch) as [there]:
            feed = await there.hold(room.pk)
            monkeypatch.setattr(feed._source, "read", None)  # all comes by the layer
            await until(lambda: not here.broker._hearers.is_alone)
            await here.say(room, bob, "one", "two", "three")
            await until(lambda: there.heard == [4, 5, 6])
        await here.say(room, bob, "to nobody")
        here.told.clear()
        await here.say(room, bob, "to nobody")
        assert here.told == []


@alone
async def test_of_two_processes_one_tells_nothing_of_a_room_that_it_alone_holds(
    room, bob, monkeypatch
):
    async with processes(2, monkeypatch) as [here, _]:
        await here.hold(room.pk)
        await here.say(room, bob, "who hears?")
        assert [to for to, _ in here.told].count(group(room.pk)) == 1
        here.told.clear()
        await here.say(room, bob, "nobody")
        assert here.told == []


@alone
@pytest.mark.parametrize("many", [1, 2], ids=["the first other process", "a further one"])
async def test_a_line_that_is_stored_while_another_one_comes_is_there_at_once(
    room, bob, monkeypatch, many
):
    """After it has looked at the log, and before its greeting is heard: told to nobody."""
    async with processes(many, monkeypatch) as [here, *_]:
        hears_late, waiting = here.broker._take, []
        channel = here.layer._get_layer().channels
        channel[here.broker._channel] = Ear(waiting.append)
        await here.say(room, bob, "who hears?")
        await here.say(room, bob, "nobody")
        read_head = Source.read_head

        async def and_then_one_more(source, room_id):
            head = await read_head(source, room_id)
            here.told.clear()
            await here.say(room, bob, "between")
            assert here.told == []
            return head

        monkeypatch.setattr(Source, "read_head", and_then_one_more)
        async with processes(1, monkeypatch) as [there]:
            feed = await there.hold(room.pk)
            assert (feed.head, there.heard) == (4, [])
            for message in waiting:
                hears_late(message)
            await until(lambda: there.heard == [5])


@alone
async def test_what_was_kept_back_last_is_told_to_who_comes(monkeypatch):
    heard = []
    async with processes(1, monkeypatch) as [here]:
        here.broker.publish(7, {"type": "typing"})
        async with processes(1, monkeypatch) as [there]:
            there.hub.others["typing"] = lambda room_id, _told: heard.append(room_id)
            await there.broker.join(7)
            await until(lambda: heard == [7])


@alone
async def test_after_its_connection_was_cut_a_process_believes_nothing_and_hears_again(
    room, bob, monkeypatch
):
    async with processes(1, monkeypatch) as [here]:
        await here.say(room, bob, "to nobody")
        async with processes(1, monkeypatch) as [there]:
            await there.hold(room.pk)
            await until(lambda: not here.broker._hearers.is_alone)
            for one in (here, there):
                names = len(one.broker._greeted)
                one.told.clear()
                await cut(one.layer)
                await until(lambda one=one: any(told["type"] == "hello" for _, told in one.told))
                await until(lambda one=one, names=names: len(one.broker._greeted) == names)
            await here.say(room, bob, "heard")
            await until(lambda: 4 in there.heard)


async def cut(layer):
    (shard,) = layer._get_layer()._shards
    await shard._pubsub.connection.disconnect(nowait=True)


# --- what goes in a message -----------------------------------------------------------------------


def said(room_id, *seqs):
    return [Event(room_id, seq, "message", AT, Person(1, "Alice"), body="x") for seq in seqs]


async def test_lines_of_rooms_that_many_hold_are_one_message_and_others_are_told_apart(
    monkeypatch,
):
    async with processes(3, monkeypatch) as [here, *others]:
        for room_id in (1, 2, 3):
            for other in others[: 1 if room_id == 3 else 2]:
                await other.broker.join(room_id)
        here.broker.publish_lines(by_room([one for n in (1, 2, 3, 4) for one in said(n, 1)]))
        await until(lambda: here.broker._hearers.others(4) is not None)
        here.broker.publish(PEOPLE, {"type": "who hears?"})
        await until(lambda: here.broker._hearers.others(PEOPLE) == 2)
        here.told.clear()
        here.broker.publish_lines(by_room([one for n in (1, 2, 3, 4) for one in said(n, 2)]))
        here.broker.publish_lines(by_room(said(3, 3)))
        await until(lambda: here.told and not here.broker._teller)
        ((to, told),) = here.told
        found = [(room, lines.batch.first) for room, lines in heard_in(told["lines"], bool)]
        if redis.is_cluster(settings.REDIS_URL):
            found.remove((4, 2))  # that nobody hears it is not believed
        assert (to, found) == (group(PEOPLE), [(1, 2), (2, 2), (3, 2), (3, 3)])
        here.told.clear()
        here.broker.publish_lines(by_room(said(3, 4)))
        await until(lambda: here.told and not here.broker._teller)
        assert [to for to, _ in here.told] == [group(3)]


def test_of_rooms_that_are_not_held_nothing_is_looked_at():
    (lines,) = by_room(said(1, 5, 6))[1]
    nonsense = msgspec.Raw(msgspec.msgpack.encode("nonsense"))
    told = entries.message([(2, nonsense), (1, entries.told_of(lines))])
    ((room_id, found),) = heard_in(told["lines"], {1}.__contains__)
    assert (room_id, found.speakers) == (1, [1, 1])
    assert [each.event for each in found.batch.all] == [each.event for each in lines.all]
    assert (found.batch.began, found.batch.ended, found.batch.has_leaves) == (AT, AT, False)


async def test_what_a_process_told_itself_is_dropped_unread(monkeypatch):
    heard, read = [], []
    async with process(settings.REDIS_URL) as layer:
        monkeypatch.setattr(broker, "get_channel_layer", lambda: layer)
        side = Broker("here", lambda _, told: heard.append(told["n"]))
        await side.join(1)
        decode = msgspec.msgpack.decode
        monkeypatch.setattr(
            broker.msgspec.msgpack, "decode", lambda packed: read.append(packed) or decode(packed)
        )
        for n, by in enumerate(("here", "there", "here", "there", "here, too")):
            told = broker.packed(1, by, {"type": "typing", "n": n})
            await layer.publish_many([(group(1), told)])
        await until(lambda: 4 in heard)
        assert heard == [1, 3, 4] and len(read) == 3
        await side.close()


@alone
async def test_who_tells_one_process_something_is_told_when_nobody_heard_it(monkeypatch):
    async with processes(3, monkeypatch) as (one, *others):
        home, other = names = [each.broker._process for each in others]
        for each, name in zip(others, names, strict=True):
            await each.broker.join(name)
        unheard, heard = [], []
        one.broker.unheard = unheard.append
        others[0].hub.others["handover"] = lambda to, _told: heard.append(to)
        one.broker.publish(home, {"type": "handover"})
        await until(lambda: heard)
        assert unheard == []

        await others[0].broker._layer.flush()  # as if it had died
        one.broker.publish(home, {"type": "handover"})
        await until(lambda: unheard)
        assert unheard == [home]

        async def fails(_messages, _by=None):
            raise OSError

        monkeypatch.setattr(one.layer, "publish_many", fails)
        for _ in range(2):  # as the layer fails, and while it is known to be down
            unheard.clear()
            one.broker.publish(other, {"type": "handover"})
            await until(lambda: unheard)
            assert unheard == [other] and one.broker.breaker.is_down
