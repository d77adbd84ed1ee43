"""The tests' own two processes: they serve, they fall, they come back."""

import json
import urllib.request

import pytest
import websockets
from django.contrib.auth import get_user_model

from tests.raw_socket import opened


def test_each_process_answers_on_its_own_port(stack):
    assert len(set(stack.urls)) == len(set(stack.pids)) == 2
    for url in stack.urls:
        with urllib.request.urlopen(f"{url}/livez") as answer:
            assert answer.status == 200


async def test_a_signed_in_person_is_greeted_by_either_process(stack):
    [alice] = await stack.apeople("alice")
    for number in (0, 1):
        async with stack.socket(number, alice) as socket:
            hello = json.loads(await socket.recv())
            assert hello["type"] == "hello"
            assert hello["user"]["id"] == alice.id


async def test_a_foreign_page_opens_no_socket(stack):
    with pytest.raises(websockets.InvalidStatus, match="403"):
        await opened(stack.urls[0], headers={"Origin": "http://evil.example"})


def test_a_killed_process_comes_back_on_its_port(stack):
    url, pid = stack.urls[1], stack.pids[1]
    stack.kill9(1)
    stack.restart(1)
    assert stack.pids[1] != pid
    assert stack.urls[1] == url


def test_people_are_in_the_database_of_the_stack(stack):
    alice, bob = stack.people("alice", "bob")
    emails = stack.run(lambda: {user.email for user in get_user_model().objects.all()})
    assert {alice.email, bob.email} <= emails
