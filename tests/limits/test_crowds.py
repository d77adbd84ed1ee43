"""More come than can be served: who is in gets on, the others are told when to come back."""

import json

import pytest

from chattalk.asgi import application
from chattalk.server import crowds, pages
from core.threads import TooLate

PAGE = (b"accept", b"text/html,*/*")
SESSION = (b"cookie", b"a=1; sessionid=nobodys")
ITS_TOKEN = (b"cookie", b"Authorization=Bearer%20x.y.z")


async def ask(path, *headers, method="GET", body=b""):
    came = [{"type": "http.request", "body": body, "more_body": False}]
    said = []

    async def receive():
        return came.pop()

    async def send(message):
        said.append(message)

    scope = {
        "type": "http", "http_version": "1.1", "method": method, "scheme": "http", "path": path,
        "raw_path": path.encode(), "query_string": b"", "root_path": "",
        "headers": [(b"host", b"localhost"), *headers], "client": ("192.0.2.7", 5), "server": None,
    }  # fmt: skip
    await application(scope, receive, send)
    named = {name.decode().lower(): value.decode() for name, value in said[0]["headers"]}
    return said[0]["status"], named, b"".join(one.get("body", b"") for one in said)


@pytest.fixture
def late(monkeypatch):
    monkeypatch.setattr(crowds, "is_late", lambda threads: True)


async def test_a_program_is_told_when_to_come_back(late):
    status, headers, body = await ask("/api/users/login", method="POST", body=b"{}")
    assert status == 503 and 3 <= int(headers["retry-after"]) <= 10
    assert headers["content-type"] == "application/problem+json"
    assert headers["connection"] == "close"  # or it would be closed just when they ask again
    assert json.loads(body)["code"] == "unavailable"
    assert "access-control-allow-origin" not in headers


async def test_not_all_are_told_the_same_time(late):
    told = {(await ask("/api/v1/tokens/", method="POST"))[1]["retry-after"] for _ in range(50)}
    assert len(told) > 3


async def test_a_page_comes_back_by_itself_and_in_the_readers_language(late):
    status, headers, body = await ask("/accounts/sign-in/", PAGE, (b"accept-language", b"ko"))
    assert status == 503 and headers["content-language"] == "ko"
    again = f'<meta http-equiv="refresh" content="{headers["retry-after"]}">'
    assert again in body.decode() and "잠시 후 다시" in body.decode()
    assert "default-src 'none'" in headers["content-security-policy"]


async def test_a_form_is_not_sent_again_by_itself(late):
    _status, _headers, body = await ask("/accounts/sign-in/", PAGE, method="POST")
    assert b'http-equiv="refresh"' not in body


async def test_a_page_elsewhere_that_may_ask_may_read_it(late, monkeypatch):
    monkeypatch.setattr(crowds, "ALLOWED", {"https://chat.example"})
    _status, headers, _body = await ask("/api/v1/tokens/", (b"origin", b"https://chat.example"))
    assert headers["access-control-allow-origin"] == "https://chat.example"
    assert "Retry-After" in headers["access-control-expose-headers"]


@pytest.mark.parametrize(
    ("path", "header"),
    [
        ("/api/open-chats", ITS_TOKEN),
        ("/api/v1/me/", (b"authorization", b"Bearer x.y.z")),
        ("/accounts/sign-in/", SESSION),
        ("/static/css/base.css", PAGE),
        ("/api/v1/tokens/refresh/", PAGE),
    ],
)
async def test_who_is_in_is_not_put_off(db, late, path, header):
    status, headers, _body = await ask(path, header)
    assert status != 503 and "retry-after" not in headers


async def test_who_waits_too_long_for_a_thread_is_put_off_too(monkeypatch):
    async def never(work, is_new):
        raise TooLate

    monkeypatch.setattr(pages.threads, "run", never)
    status, headers, _body = await ask("/api/open-chats", ITS_TOKEN)
    assert status == 503 and "retry-after" in headers


async def test_nobody_is_put_off_while_nobody_waits(db):
    status, _headers, _body = await ask("/accounts/sign-in/", PAGE)
    assert status == 200
