"""One request by a person with a browser's session: joining, leaving, reading the log.

Not by the client that everybody has: it would renew, and ask at the next address, where the judge
must know what each single answer was.
"""

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from bench.ours import Person
from bench.rest import Http

WITHIN = 30.0  # seconds
LOST = (OSError, TimeoutError, EOFError)  # nobody knows what became of it
TOKEN = "harness" * 4 + "csrf"  # the same in the cookie and the header is what Django asks for
ETAG = re.compile(rb"^etag: *(\S+)", re.IGNORECASE | re.MULTILINE)


class Answer(NamedTuple):
    status: int
    said: Any
    etag: str = ""

    @property
    def code(self) -> str:
        return self.said.get("code", "") if isinstance(self.said, dict) else ""


class Unread(NamedTuple):
    read: int  # my position
    head: int
    unread: int  # what others said after it, counted up to 100


async def unread(port: int, person: Person, room: int) -> Unread:
    """Of a room they have a seat in."""
    answer = await ask(port, "GET", "/api/v1/unread/", person)
    (mine,) = [one for one in answer.said["results"] if one["room"] == room]
    return Unread(mine["read"], mine["head"], mine["unread"])


async def ask(
    port: int,
    method: str,
    path: str,
    person: Person,
    body: Any = None,
    within: float = WITHIN,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Raises LOST."""
    http = Http(port)
    async with asyncio.timeout(within):
        await http.open()
        try:
            http.cookie = f"sessionid={person.session}; csrftoken={TOKEN}"
            headers = {"X-CSRFToken": TOKEN} | dict(headers or {})
            status, head, told = await http.ask(method, path, body, headers)
        finally:
            http.close()
    etag = ETAG.search(head)
    tag = etag[1].decode() if etag else ""
    try:
        return Answer(status, json.loads(told or b"null"), tag)
    except ValueError:
        return Answer(status, told.decode(errors="replace"), tag)
