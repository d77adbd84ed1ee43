"""The log as JSON: one object on each line, bounded, with the request or socket that it is of."""

import asyncio
import ipaddress
import json
import logging
import sys
import urllib.request
from urllib.error import HTTPError

import pytest

from chattalk.server import json_lines
from chattalk.server.journal import LINE_MAX, TRACE_MAX
from chattalk.server.request_ids import Named
from core import asking
from tests.stack import Stack, lent


def written(text, *args, **more):
    record = logging.makeLogRecord(
        {"name": "core.text", "levelname": "INFO", "msg": text, "args": args, **more}
    )
    line = json_lines.JsonLine().format(record)
    assert "\n" not in line
    return line


def test_a_record_is_one_object_on_one_line():
    found = json.loads(written("%s said\nsomething “안녕”", "alice", created=1_800_000_000.5))
    assert found == {
        "time": "2027-01-15T08:00:00.500+00:00",
        "level": "INFO",
        "logger": "core.text",
        "text": "alice said\nsomething “안녕”",
    }
    assert "안녕" in written("안녕")


@pytest.mark.parametrize("text", ['"' * 3000, "\\" * 3000, "가" * 3000, "\x00\x1b" * 3000])
def test_a_line_is_bounded_whatever_is_in_it(text):
    line = written("%s", text)
    assert len(line.encode()) <= LINE_MAX
    assert len(json.loads(line)["text"].encode()) > LINE_MAX / 4


def test_what_a_terminal_obeys_is_written_out():
    assert json.loads(written("red \x1b[31m"))["text"] == "red \\x1b[31m"


def test_half_a_character_of_a_stranger_is_written_all_the_same():
    line = written("%s", "\ud83d half")
    assert json.loads(line.encode("utf-8", "backslashreplace"))


def test_a_traceback_is_one_field_and_bounded():
    try:
        raise ValueError("x" * 2 * TRACE_MAX)
    except ValueError:
        found = json.loads(written("it failed", exc_info=sys.exc_info()))
    assert found["text"] == "it failed"
    assert found["exception"].startswith("Traceback") and "ValueError" in found["exception"]
    assert len(found["exception"].encode()) <= TRACE_MAX


async def test_what_is_done_for_all_is_not_said_to_be_of_who_started_it():
    async def for_all():
        return json.loads(written("late"))

    asking.begin("socket", "5f")
    assert json.loads(written("mine"))["socket"] == "5f"
    assert json.loads(await asyncio.to_thread(written, "mine, in a thread"))["socket"] == "5f"
    assert "socket" not in await asyncio.create_task(for_all())
    assert json.loads(written("named", socket="6a"))["socket"] == "6a"


@pytest.fixture(scope="module")
def _written(django_db_setup):
    stack = Stack(1, "written", LOG_FORMAT="json", LOG_LEVEL="DEBUG", BEHIND_PROXY="true")
    yield stack
    stack.close()


@pytest.fixture
def worker(_written, django_db_blocker):
    with lent(_written, django_db_blocker):
        _written.said()
        yield _written


def lines(stack):
    said = stack.said().splitlines()[1:]  # the first names the worker
    return [json.loads(line) for line in said]


def too_large(url, **headers):
    """It is refused, and that is written down."""
    asked = urllib.request.Request(f"{url}/api/v1/rooms/", b"x" * 300_000, headers, method="POST")
    with pytest.raises((HTTPError, ConnectionError)) as refused:
        urllib.request.urlopen(asked, timeout=10)
    if isinstance(refused.value, HTTPError):
        refused.value.close()


async def test_a_worker_writes_json_alone_and_says_of_which_request_or_socket(worker):
    await asyncio.to_thread(too_large, worker.urls[0], **{"X-Request-ID": "proxy-7.1"})
    async with worker.socket(0) as nobody:
        await nobody.wait_closed()
    found = lines(worker)
    assert found and all({"time", "level", "logger", "text"} <= one.keys() for one in found)
    refusals = {one["text"].split(" (")[0]: one for one in found if "refused" in one["text"]}
    assert refusals["refused: a body that is too large"]["request"] == "proxy-7.1"
    assert len(refusals["refused: a socket without a sign-in that counts"]["socket"]) == 16


@pytest.mark.parametrize("given", ["with blanks", "x" * 65, "<script>", ""])
def test_a_name_that_is_none_is_not_taken_over(given):
    named = Named(lambda *_: None, [])
    scope = {"headers": [(b"x-request-id", given.encode())], "client": ("127.0.0.1", 1)}
    assert named._given(scope) == ""


def test_the_name_of_somebody_who_is_no_proxy_of_ours_is_not_taken_over():
    named = Named(lambda *_: None, [ipaddress.ip_network("10.0.0.0/8")])
    headers = [(b"x-request-id", b"proxy-7")]
    assert named._given({"headers": headers, "client": ("10.1.2.3", 1)}) == "proxy-7"
    assert named._given({"headers": headers, "client": ("::ffff:10.1.2.3", 1)}) == "proxy-7"
    for other in (("11.1.2.3", 1), None):
        assert named._given({"headers": headers, "client": other}) == ""
