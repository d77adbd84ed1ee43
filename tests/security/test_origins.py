"""Which page opens a socket, read from the handshake alone."""

import pytest

from interfaces.socket import origins


def opened(origin, host="chat.example.org", scheme="wss", **more):
    headers = [(b"host", host.encode()), (b"origin", origin.encode("latin-1"))]
    return {"headers": headers, "scheme": scheme} | more


@pytest.fixture(autouse=True)
def hosts(settings):
    settings.ALLOWED_HOSTS = ["chat.example.org", ".talk.example", "[::1]"]


@pytest.mark.parametrize(
    "origin, host, scheme",
    [
        ("https://chat.example.org", "chat.example.org", "wss"),
        ("https://chat.example.org:443", "chat.example.org", "wss"),
        ("https://chat.example.org", "chat.example.org:443", "wss"),
        ("https://CHAT.example.org", "chat.example.org", "wss"),
        ("http://chat.example.org", "chat.example.org:80", "ws"),
        ("http://chat.example.org:8000", "chat.example.org:8000", "ws"),
        ("http://[::1]:8000", "[::1]:8000", "ws"),
        ("https://a.talk.example", "a.talk.example", "wss"),
    ],
)
def test_the_page_of_the_address_that_is_asked_is_ours(origin, host, scheme):
    assert origins.is_own(opened(origin, host, scheme))


@pytest.mark.parametrize(
    "origin, host, scheme",
    [
        ("http://chat.example.org", "chat.example.org", "wss"),
        ("https://chat.example.org", "chat.example.org", "ws"),
        ("https://chat.example.org:8443", "chat.example.org", "wss"),
        ("https://a.talk.example", "chat.example.org", "wss"),
        ("https://a.talk.example", "b.talk.example", "wss"),
        ("https://evil.example", "evil.example", "wss"),
        ("https://[::1]:8000", "[::1]:8000", "ws"),
        ("http://[::1]", "[::1]:8000", "ws"),
        ("http://chat.example.org:99999999", "chat.example.org:99999999", "ws"),
        ("http://chat.example.org:", "chat.example.org:", "ws"),
        ("https://chat.example.org ", "chat.example.org", "wss"),
        ("https://ｃhat.example.org", "chat.example.org", "wss"),
        ("capacitor://chat.example.org", "chat.example.org", "capacitor"),
        ("", "", "ws"),
    ],
)
def test_any_other_is_not(origin, host, scheme):
    try:
        scope = opened(origin, host, scheme)
    except UnicodeEncodeError:
        scope = {"headers": [(b"host", host.encode()), (b"origin", origin.encode())]}
    assert not origins.is_own(scope)


def test_a_friend_is_one_by_scheme_host_and_port():
    also = ["https://app.example.org", "http://localhost:3000"]
    assert origins.is_own(opened("https://app.example.org:443"), also)
    assert origins.is_own(opened("http://localhost:3000"), also)
    for near in ("http://app.example.org", "https://app.example.org:8443", "http://localhost"):
        assert not origins.is_own(opened(near), also)


def test_what_comes_twice_or_not_at_all_is_none():
    once = opened("https://chat.example.org")
    for headers in (once["headers"] * 2, once["headers"][:1], once["headers"][1:], []):
        assert not origins.is_own({"headers": headers, "scheme": "wss"})


def test_a_server_that_names_no_scheme_speaks_plainly():
    scope = opened("http://chat.example.org", scheme="ws")
    del scope["scheme"]
    assert origins.is_own(scope)
