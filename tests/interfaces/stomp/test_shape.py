"""What the original's page is told of very large rooms."""

import json

from accounts.models import User
from interfaces.stomp.bodies import People
from messaging.log.event import PAGE_BYTES


def test_of_a_room_of_ten_thousand_those_are_told_who_are_here_and_as_many_as_there_is_room_for():
    crowd = [(number, "😀" * 40, number % 100 == 0) for number in range(1, 10_001)]
    people = People(crowd)
    body = people.told(User(pk=5_000, email="me@example.com"))
    assert len(body.encode()) <= PAGE_BYTES
    told = json.loads(body)
    assert [one["isRead"] for one in told[:100]] == [True] * 100
    assert len(told) > 500 and not any(one["isRead"] for one in told[100:])
    assert "me@example.com" in {one["email"] for one in told}  # who asks is here


def test_of_others_all_are_told_in_their_order():
    people = People([(number, "Bob", number == 3) for number in range(1, 1_001)])
    told = json.loads(people.told(User(pk=0, email="nobody@example.com")))
    assert len(told) == 1_000 and [one["isRead"] for one in told].index(True) == 2
