"""REST over two real worker processes."""

import asyncio
import http.client
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

from chattalk_client import ChatTalk

from tests.doors.clients import Rest, sign_up, until


def test_one_cid_in_parallel_over_two_processes_is_one_message(stack):
    _email, first = sign_up(stack.urls[0], "Dana")
    both = [first, Rest(stack.urls[1], **first.headers)]
    room = first("POST", "/api/v1/rooms/", {"title": "Tea"}).json
    path = f"/api/v1/rooms/{room['id']}/events/"
    draft = {"cid": str(uuid4()), "body": "hello"}
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda n: both[n % 2]("POST", path, draft), range(20)))
    assert sorted(answer.status for answer in answers) == [200] * 19 + [201]
    assert {answer.json["seq"] for answer in answers} == {2}
    assert both[1]("GET", path).json["head"] == 2


async def test_who_is_here_is_known_by_all_processes(stack):
    _email, dana = await asyncio.to_thread(sign_up, stack.urls[0], "Dana")
    room = (await asyncio.to_thread(dana, "POST", "/api/v1/rooms/", {"title": "Tea"})).json["id"]
    access = dana.headers["Authorization"].removeprefix("Bearer ")
    elsewhere = Rest(stack.urls[1], **dana.headers)
    path = f"/api/v1/rooms/{room}/participants/"
    async with ChatTalk(stack.urls[0], access=access) as chat:
        await chat.enter(room)
        await asyncio.to_thread(counts, elsewhere, path, 1)
        assert (await asyncio.to_thread(elsewhere, "GET", path)).json["here"][0]["name"] == "Dana"
    await asyncio.to_thread(counts, elsewhere, path, 0)


def counts(rest, path, many):
    until(lambda: rest("GET", path).json["count"] == many, f"not {many} are here")


def test_a_body_in_chunks_is_read(stack):
    _email, dana = sign_up(stack.urls[0], "Dana")
    address = stack.urls[0].removeprefix("http://")
    line = http.client.HTTPConnection(address, timeout=20)
    headers = dana.headers | {"Content-Type": "application/json"}
    line.request("POST", "/api/v1/rooms/", iter([b'{"title":', b' "Tea"}']), headers)
    answer = line.getresponse()
    assert answer.status == 201, answer.read()
    line.close()
