"""What is done at /graphql/ of one process is seen at once by the socket of another."""

import asyncio
import json
import urllib.request

from chattalk_client import Enter, Leave

from tests.stack import open_room


def ask(url, person, query):
    body = json.dumps({"query": query}).encode()
    asked = urllib.request.Request(f"{url}/graphql/", body, person.headers, method="POST")
    with urllib.request.urlopen(asked, timeout=15) as answer:
        return json.load(answer)["data"]


async def test_who_joins_and_leaves_here_is_announced_there(stack):
    alice, bob = await stack.apeople("alice", "bob")
    room = await stack.arun(open_room, alice)
    async with stack.chat(0, alice) as chat:
        events = (await chat.enter(room)).events()
        url, change = stack.urls[1], "{ it: %s(id: %d) { personnel } }"
        join = change % ("incrementPersonnel", room)
        assert await asyncio.to_thread(ask, url, bob, f"mutation {join}") == {
            "it": {"personnel": 2}
        }
        entered = await anext(events)
        assert isinstance(entered, Enter) and entered.sender.id == bob.id
        leave = change % ("decrementPersonnel", room)
        await asyncio.to_thread(ask, url, bob, f"mutation {leave}")
        left = await anext(events)
        assert isinstance(left, Leave) and left.how == "left"


async def test_what_is_said_there_and_who_is_there_is_read_here(stack):
    alice, bob = await stack.apeople("alice", "bob")
    room = await stack.arun(open_room, alice, bob)
    query = f"""{{ room(number: {room}) {{
      seat {{ unread }} events(last: 1) {{ edges {{ node {{ body }} }} }}
      members {{ edges {{ node {{ online person {{ id }} }} }} }} }} }}"""
    async with stack.chat(0, alice) as chat:
        await (await chat.enter(room)).send("hello")
        for _try in range(100):  # presence is written in a moment
            found = (await asyncio.to_thread(ask, stack.urls[1], bob, query))["room"]
            members = {
                edge["node"]["person"]["id"]: edge["node"]["online"]
                for edge in found["members"]["edges"]
            }
            if members[str(alice.id)]:
                break
            await asyncio.sleep(0.05)
        assert members == {str(alice.id): True, str(bob.id): None}
        assert found["seat"] == {"unread": 1}
        assert found["events"]["edges"] == [{"node": {"body": "hello"}}]
