"""A page whose line dies, as its server sees it."""

import json
import socket
import struct

from django.test import Client
from websockets.sync.client import connect

from accounts.models import User
from messaging import services
from messaging.log.event import Person
from presence import services as presence
from tests.doors.clients import SECONDS, until
from tests.interfaces.original.page import token_of


def test_what_a_dead_line_may_not_have_brought_is_shown_again(stack):
    alice, bob = stack.people("alice", "bob")
    room_id, token = stack.run(prepare, alice.id, bob.id)
    address = f"ws{stack.urls[0].removeprefix('http')}/stomp/chat/000/abcdefgh/websocket"
    with connect(address, compression=None) as page:
        frames(
            page,
            f"CONNECT\naccept-version:1.1\nheart-beat:0,0\nAuthorization:Bearer {token}\n\n\0",
            f"SUBSCRIBE\nid:sub-0\ndestination:/sub/chat/{room_id}\n\n\0",
            f'SEND\ndestination:/send/chat/enter\n\n{{"chatId":"{room_id}"}}\0',
        )
        hears(page, "CONNECTED")
        until(lambda: online(stack, room_id, bob.id))
        stack.run(services.post, room_id, Person(alice.id, alice.name), "given to the socket")
        hears(page, "given to the socket")
        cut(page)
    until(lambda: not online(stack, room_id, bob.id))
    assert stack.run(unread, room_id, token) == ["given to the socket"]


def frames(page, *texts):
    for text in texts:
        page.send(json.dumps([text]))


def hears(page, words):
    while words not in page.recv(timeout=SECONDS):
        pass


def cut(page):
    """Without a close frame, as when the power goes."""
    line = page.socket
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    line.shutdown(socket.SHUT_RDWR)


def prepare(alice_id, bob_id):
    room = services.open_room(User.objects.get(pk=alice_id), title="Tea", capacity=10)
    bob = User.objects.get(pk=bob_id)
    services.join(room.pk, bob)
    services.mark_read(room.pk, bob_id, 10)
    return room.pk, token_of(bob)


def online(stack, room_id, user_id):
    state = stack.run(presence.states, room_id, [user_id]).get(user_id)
    return state is not None and state.online


def unread(room_id, token):
    headers = {"Authorization": f"Bearer {token}"}
    answer = Client().get(f"/api/open-chats/read/{room_id}", headers=headers)
    return [line["message"] for line in answer.json()]
