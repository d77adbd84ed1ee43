"""Drafts that one process hands to another, over a wire that the test holds."""

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.core.exceptions import PermissionDenied, ValidationError

from messaging import services
from messaging.live import handover as handover_module
from messaging.live import road as road_module
from messaging.live.drafts import Draft
from messaging.live.handover import Handover
from messaging.live.reception import Reception
from messaging.live.writer import Writer
from tests.messaging.conftest import draft, stored_bodies
from tests.presence.cluster import until


class Way:
    """In place of Homes: the test says where a room's drafts go."""

    def __init__(self) -> None:
        self.home: str | None = "home"
        self.living = {"home"}
        self.left: list[str] = []

    def said(self, room_id: int) -> str | None:
        return self.home

    def is_living(self, process: str) -> bool:
        return process in self.living

    def leaves(self, process: str) -> None:
        self.left.append(process)
        self.home = None

    def pass_by(self, process: str) -> None:
        self.home = None

    def answers_again(self, process: str) -> None:
        self.home = process


async def turns(many=3):
    for _ in range(many):
        await asyncio.sleep(0)


class Pair:
    """An origin and a home, with a writer each. `lose` says of a message that it is lost."""

    def __init__(self) -> None:
        self.ours, self.theirs = Writer(lambda events: None), Writer(lambda events: None)
        self.way, self.told = Way(), []
        self.lose = lambda message: False
        self.holds = lambda room_id: True
        self.late = 0.0  # seconds, by which the home's clock is ahead
        self.origin = Handover(self.ours, self.way, self._send("origin"), self._now, self.holds)
        self.home = Reception(
            self.theirs, self._send("home"), lambda: self._now(self.late), lambda *_: None
        )

    def _now(self, ahead=0.0):
        return datetime.fromtimestamp(datetime.now(UTC).timestamp() + ahead, UTC)

    def _send(self, by):
        def send(to, content):
            message = content | {"by": by}
            self.told.append(message)
            if not self.lose(message):
                asyncio.get_running_loop().call_soon(self._deliver, to, message)

        return send

    def _deliver(self, to, message):
        if to == "home":
            self.home.heard(message)
        elif message["type"] == "answered":
            self.origin.answered(message)
        else:
            self.origin.missed(message)

    def types(self):
        return [message["type"] for message in self.told]


@pytest.fixture
async def pair(transactional_db):
    pair = Pair()
    yield pair
    pair.origin.close()
    await pair.ours.close()
    await pair.theirs.close()


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(road_module, "SILENT_SECONDS", 0.05)
    monkeypatch.setattr(handover_module, "ALONE_SECONDS", 0.05)
    monkeypatch.setattr(handover_module, "ASK_SECONDS", 0.05)


async def code(future) -> str:
    try:
        await future
    except PermissionDenied:
        return "not_member"
    except ValidationError as error:
        return error.code
    return "stored"


async def test_what_is_handed_over_is_stored_by_the_home_and_answered(pair, room, alice, bob):
    drafts = [draft(room, (alice, bob)[n % 2], f"{n}") for n in range(20)]
    receipts = await asyncio.gather(*map(pair.origin.put, drafts))
    assert [body for _, body in await stored_bodies(room)] == [str(n) for n in range(20)]
    assert [receipt.seq for receipt in receipts] == list(range(3, 23))
    assert [receipt.client_id for receipt in receipts] == [one.client_id for one in drafts]
    assert pair.ours._connection is None  # it had nothing to write
    assert pair.types() == ["handover", "answered"]  # of all together


async def test_a_receipt_from_afar_is_the_one_that_the_home_would_give(pair, room, bob):
    one = draft(room, bob)
    afar = await pair.origin.put(one)
    assert await pair.theirs.put(one) == afar._replace(repeated=True)
    assert await pair.origin.put(one) == afar._replace(repeated=True)


async def test_a_home_refuses_with_the_codes_of_a_writer_of_ones_own(
    pair, room, alice, bob, charlie
):
    said = draft(room, bob)
    await pair.ours.put(said)
    bad = [draft(room, charlie), said._replace(body="another text"), draft(room, bob, "\0")]
    for home in (None, "home"):
        pair.way.home = home
        codes = [await code(pair.origin.put(one)) for one in bad]
        assert codes == ["not_member", "conflict", "unavailable"]
    await sync_to_async(services.close_room)(room.pk, alice)
    for home in (None, "home"):
        pair.way.home = home
        assert await code(pair.origin.put(draft(room, bob))) == "room_closed"


async def test_the_same_by_two_origins_is_stored_once(pair, room, bob):
    one = draft(room, bob)
    other = Handover(pair.ours, pair.way, pair._send("other"), pair._now, pair.holds)
    here, there = pair.origin.put(one), other.put(one)
    await here
    await until(lambda: pair.types().count("answered") == 2)
    answers = [told["answers"][0] for told in pair.told if told["type"] == "answered"]
    assert [(code, seq) for _, _, code, seq, _ in answers] == [("stored", 3), ("repeated", 3)]
    there.cancel()
    assert len(await stored_bodies(room)) == 1


async def test_a_handover_that_was_lost_is_not_overtaken_by_the_next(pair, room, bob, monkeypatch):
    pair.lose = lambda message: message.get("number") == 0
    monkeypatch.setattr(handover_module, "HANDOVER_MAX", 2)
    futures = [pair.origin.put(draft(room, bob, f"{n}")) for n in range(6)]
    await asyncio.gather(*futures)
    assert [body for _, body in await stored_bodies(room)] == [str(n) for n in range(6)]
    assert pair.types().count("missed") == 1  # of what is left of an epoch nothing is said again


async def test_what_comes_in_one_turn_is_handed_over_together_and_nothing_is_kept_back(
    pair, room, bob
):
    futures = [pair.origin.put(draft(room, bob, f"{n}")) for n in range(3)]
    await turns(1)
    futures += [pair.origin.put(draft(room, bob, f"{n}")) for n in range(3, 5)]
    await turns(1)
    assert [len(told["drafts"]) for told in pair.told if told["type"] == "handover"] == [3, 2]
    await asyncio.gather(*futures)


async def test_a_silent_home_is_passed_by_in_order_and_asked_before_it_is_one_again(
    pair, room, alice, bob, impatient
):
    pair.lose = lambda message: True
    before = handover_module.PASSED_BY.value
    futures = [pair.origin.put(draft(room, (alice, bob)[n % 2], f"{n}")) for n in range(6)]
    await asyncio.gather(*futures)
    assert [body for _, body in await stored_bodies(room)] == [str(n) for n in range(6)]
    assert handover_module.PASSED_BY.value == before + 1
    told = len(pair.told)
    await pair.origin.put(draft(room, bob, "meanwhile"))
    assert not any(message.get("drafts") for message in pair.told[told:])
    pair.lose = lambda message: False
    await until(lambda: "answered" in pair.types())
    await turns()  # it is on its way
    told = len(pair.told)
    await pair.origin.put(draft(room, bob, "again"))
    handed = [one for message in pair.told[told:] for one in message.get("drafts", ())]
    assert [body for *_, body in handed] == ["again"]


async def test_a_home_that_hears_nothing_is_passed_by_at_once(pair, room, alice, bob):
    pair.lose = lambda message: True
    futures = [pair.origin.put(draft(room, (alice, bob)[n % 2], f"{n}")) for n in range(6)]
    await turns()
    pair.origin.unheard("home")
    await asyncio.wait_for(asyncio.gather(*futures), road_module.SILENT_SECONDS / 2)
    assert [body for _, body in await stored_bodies(room)] == [str(n) for n in range(6)]
    assert pair.way.home is None
    pair.origin.unheard("home")  # of what is handed over to nobody
    pair.origin.unheard("somebody")


async def test_what_a_home_has_not_stored_when_it_is_taken_back_it_drops(
    pair, room, bob, monkeypatch
):
    await pair.origin.put(draft(room, bob))
    wait, go_on, asked = pair.theirs.filling.wait, asyncio.Event(), []
    monkeypatch.setattr(pair.theirs, "_store", lambda *batch: asked.append(batch))

    async def stand_still():
        await go_on.wait()
        await wait()

    monkeypatch.setattr(pair.theirs.filling, "wait", stand_still)
    monkeypatch.setattr(road_module, "SILENT_SECONDS", 0.1)
    monkeypatch.setattr(handover_module, "ANSWER_SECONDS", 0.2)
    await pair.origin.put(draft(room, bob))
    await asyncio.sleep(0.2)
    go_on.set()
    await pair.theirs.idle()
    assert not asked
    assert len(await stored_bodies(room)) == 2
    assert pair.types().count("answered") == 1  # nobody waits for the other one


async def test_what_comes_too_late_is_not_stored_any_more(pair, room, bob):
    pair.late = 2 * road_module.ANSWER_SECONDS
    await pair.origin.put(draft(room, bob))
    assert pair.theirs._connection is None
    assert len(await stored_bodies(room)) == 1
    assert "missed" in pair.types()


async def test_a_home_that_leaves_gives_back_what_comes_still(pair, room, bob):
    pair.home.is_closed = True
    await pair.origin.put(draft(room, bob))
    assert pair.theirs._connection is None
    assert pair.way.left == ["home"]


async def test_nobody_goes_two_ways_at_once(pair, room, alice, bob):
    """Whoever has messages under way on the old way goes on by it until they are answered."""
    bodies = []
    futures = []
    for n in range(60):
        pair.way.home = (None, "home")[(n // 7) % 2]
        bodies.append(f"{n}")
        futures.append(pair.origin.put(draft(room, (alice, bob)[n % 3 == 0], f"{n}")))
        if n % 5 == 0:
            await asyncio.sleep(0.002)
    await asyncio.gather(*futures)
    stored = [int(body) for _, body in await stored_bodies(room)]
    for said_by_bob in (True, False):
        theirs = [n for n in stored if (n % 3 == 0) is said_by_bob]
        assert theirs == sorted(theirs)
    assert len(stored) == 60


async def test_too_many_at_once_are_refused_as_by_the_writer(pair, room, bob, monkeypatch):
    monkeypatch.setattr(handover_module, "WAITING_MAX", 3)
    futures = [pair.origin.put(draft(room, bob, f"{n}")) for n in range(5)]
    assert [await code(future) for future in futures] == ["stored"] * 3 + ["unavailable"] * 2


async def test_a_line_that_we_handed_over_counts_for_its_speaker_once(pair, room, alice, bob):
    await pair.origin.put(draft(room, bob))
    await pair.origin.put(draft(room, bob))
    said = [bob.pk, alice.pk, bob.pk, bob.pk]
    assert pair.origin.not_ours(room.pk, said) == [alice.pk, bob.pk]
    assert pair.origin.not_ours(room.pk, said) == said
    pair.origin._holds = lambda room_id: False  # its lines are not told to us
    await pair.origin.put(draft(room, bob))
    assert pair.origin.not_ours(room.pk, [bob.pk]) == [bob.pk]


async def test_long_texts_go_by_several_handovers_in_order(pair, room, bob, monkeypatch):
    monkeypatch.setattr(handover_module, "HANDOVER_CHARACTERS", 1000)
    futures = [pair.origin.put(draft(room, bob, f"{n}" * 400)) for n in range(7)]
    await asyncio.gather(*futures)
    assert [body[0] for _, body in await stored_bodies(room)] == list("0123456")
    handed = [len(told["drafts"]) for told in pair.told if told["type"] == "handover"]
    assert handed == [3, 3, 1]


async def test_an_answer_of_an_earlier_epoch_opens_the_road_and_answers_nobody(
    pair, room, bob, impatient
):
    pair.lose = lambda message: message["type"] == "answered"
    await pair.origin.put(draft(room, bob))
    late = next(message for message in pair.told if message["type"] == "answered")
    waiting = pair.origin.put(Draft(room.pk, draft(room, bob).sender, uuid4(), "second"))
    pair.origin.answered(late)
    assert not waiting.done()
    assert (await waiting).seq == 4
