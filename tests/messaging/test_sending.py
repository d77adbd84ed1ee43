"""What a socket's message has in place of a future: told at once, and in nobody's way."""

import asyncio
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError

from interfaces.socket.sending import Sending
from messaging.live import frames
from messaging.live import writer as writer_module
from tests.messaging.conftest import draft


class Client(SimpleNamespace):
    """As far as a sending knows one."""

    def __init__(self):
        super().__init__(in_flight=1, told=[])

    def tell(self, frame):
        self.told.append(frame)

    def refuse(self, _frame, error):
        self.told.append(error.code)


def sending(client, room):
    return Sending(client, frames.Send(room=room.pk, cid=uuid4(), body="hello", ref="one"))


def come(writer, answer, said):
    writer.take(said, answer, asyncio.get_running_loop().time() + writer_module.DEADLINE_SECONDS)


async def test_it_is_acknowledged_once_with_its_place_in_the_log(writer, room, bob):
    client, said = Client(), draft(room, bob)
    come(writer, sending(client, room), said)
    assert client.told == []
    await writer.idle()
    (ack,) = client.told
    assert (ack.cid, ack.room, ack.seq, ack.repeated) == (said.client_id, room.pk, 3, False)
    assert ack.ref == "one"
    assert client.in_flight == 0


async def test_one_that_stumbles_costs_the_others_of_its_batch_nothing(writer, room, bob, caplog):
    stumbling, other = Client(), Client()
    stumbling.tell = lambda frame: 1 / 0
    for client in (stumbling, other):
        come(writer, sending(client, room), draft(room, bob))
    await writer.idle()
    await asyncio.sleep(0)
    assert [ack.seq for ack in other.told] == [4]
    assert [event.seq for event in writer.events] == [3, 4]
    assert "an answer was not told" in caplog.text


@pytest.mark.parametrize(
    ("error", "code"),
    [(ValidationError("no", code="room_closed"), "room_closed"), (OSError("?"), "unavailable")],
)
def test_a_refusal_is_told_and_a_fault_is_no_reason_to_be_silent(room, error, code):
    client = Client()
    answer = sending(client, room)
    answer.set_exception(error)
    assert client.told == [code]
    assert client.in_flight == 0 and answer.done()
