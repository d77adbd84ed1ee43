"""stomp.py, a client that others wrote, against two processes over real sockets."""

import json
from threading import Event as Flag

import pytest
import stomp
from asgiref.sync import sync_to_async

from accounts import devices
from accounts.models import User
from accounts.stand_ins import stand_in
from messaging import services
from messaging.models import Event
from tests.doors.clients import until
from tests.interfaces.stomp.client import opened, token


class Ear(stomp.ConnectionListener):
    def __init__(self):
        self.messages, self.receipts, self.errors = [], [], []
        self.beats, self.sent = 0, []
        self.gone = Flag()

    def on_message(self, frame):
        self.messages.append((frame.headers, json.loads(frame.body)))

    def on_receipt(self, frame):
        self.receipts.append(frame.headers["receipt-id"])

    def on_error(self, frame):
        self.errors.append((frame.headers, frame.body))

    def on_send(self, frame):
        self.sent.append((frame.cmd, frame.headers))

    def on_heartbeat(self):
        self.beats += 1

    def on_disconnected(self):
        self.gone.set()


def connected(url, access, **options):
    port = int(url.rsplit(":", 1)[1])
    connection = stomp.WSStompConnection([("127.0.0.1", port)], ws_path="/stomp", **options)
    ear = Ear()
    connection.set_listener("", ear)
    connection.connect(passcode=access, wait=True)
    return connection, ear


@pytest.fixture
def tea(stack):
    alice, bob = stack.people("alice", "bob")

    def prepare():
        users = [User.objects.get(pk=person.id) for person in (alice, bob)]
        room = services.open_room(users[0], title="Tea")
        services.join(room.pk, users[1])
        return room.pk, [token(user) for user in users]

    return alice, bob, *stack.run(prepare)


def test_two_people_on_two_processes_talk(stack, tea):
    alice, bob, room, (one_token, two_token) = tea
    one, one_ear = connected(stack.urls[0], one_token)
    two, two_ear = connected(stack.urls[1], two_token)
    for connection, ear in ((one, one_ear), (two, two_ear)):
        connection.subscribe(f"/sub/chat/{room}", id="s", receipt="live")
        until(lambda ear=ear: "live" in ear.receipts)
    body = json.dumps({"chatId": str(room), "message": "hello: 안녕"})
    one.send("/send/chat/message", body, receipt="stored")
    until(lambda: "stored" in one_ear.receipts)
    assert stack.run(Event.objects.filter(room_id=room, body="hello: 안녕").count) == 1
    for ear, name in ((one_ear, alice.email), (two_ear, stand_in(alice.id, alice.name))):
        until(lambda ear=ear: ear.messages)
        headers, line = ear.messages[0]
        assert (headers["subscription"], line["username"]) == ("s", name)
        assert line["message"] == "hello: 안녕"
    two.unsubscribe("s", receipt="off")
    until(lambda: "off" in two_ear.receipts)
    one.send("/send/chat/message", body, receipt="again")
    until(lambda: len(one_ear.messages) == 2)
    assert len(two_ear.messages) == 1
    for connection, ear in ((one, one_ear), (two, two_ear)):
        connection.disconnect(receipt="bye")
        assert ear.gone.wait(10) and "bye" in ear.receipts


def test_it_says_stomp_in_place_of_connect_and_offers_one_version(stack, tea):
    _alice, _bob, _room, (access, _) = tea
    connection, ear = connected(stack.urls[0], access)
    command, headers = ear.sent[0]
    assert (command, headers["accept-version"]) == ("STOMP", "1.2")
    assert connection.is_connected()
    connection.disconnect()


async def test_what_its_default_connection_says_over_tcp_is_enough_here_too(alice):
    """Version 1.1 alone, and no `host`."""
    access = await sync_to_async(token)(alice)
    async with opened() as client:
        await client.text(f"STOMP\naccept-version:1.1\npasscode:{access}\n\n\0")
        answer = await client.frame()
    assert (answer.command, answer.headers["version"]) == ("CONNECTED", "1.1")


def test_heart_beats_go_both_ways(stack, tea):
    alice, _bob, room, (access, _) = tea
    connection, ear = connected(stack.urls[0], access, heartbeats=(1000, 1000))
    until(lambda: ear.beats >= 3)
    assert connection.is_connected()
    connection.disconnect()


def test_an_error_says_what_and_why(stack, tea):
    _alice, _bob, room, (access, _) = tea
    connection, ear = connected(stack.urls[0], access)
    connection.subscribe("/sub/chat/999999999", id="s", receipt="r")
    until(lambda: ear.errors)
    headers, body = ear.errors[0]
    assert (headers["code"], headers["receipt-id"]) == ("not_member", "r")
    assert body == headers["message"]
    assert ear.gone.wait(15)


def test_signing_out_ends_the_connection(stack, tea):
    _alice, bob, _room, (_, access) = tea
    connection, ear = connected(stack.urls[1], access)
    stack.run(devices.revoke_all, bob.id)
    assert ear.gone.wait(10)
    assert not connection.is_connected()
