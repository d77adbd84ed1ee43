"""No forged token opens any door: those of tests/accounts/test_tokens.py, and the cruder tricks of
keys, at a real process."""

import asyncio
import base64
import hmac

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from accounts import devices
from tests.accounts.test_tokens import claims, forged, signed
from tests.doors.clients import PASSWORD, Rest, sign_up
from tests.raw_socket import by_token, opened, to_the_end
from tests.security.test_shapes import CID

HEADER_MAX = 7_000  # characters that fit into a request's header


def pair_of(email):
    from django.test import RequestFactory

    return devices.sign_in(RequestFactory().post("/"), email, PASSWORD)


def by_nothing(token):
    """Signed with an empty key, as who trusts `kid` could be made to read one."""
    said = token.rpartition(".")[0]
    signature = hmac.digest(b"", said.encode(), "sha256")
    return f"{said}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def confused(pair):
    """An asymmetric key, as if ours were one; and where a key is said to lie."""
    said, key = claims(pair.access), rsa.generate_private_key(65537, 2048)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    own = {"typ": "JWT", "x5u": "https://evil.example/", "x5c": ["AAAA"], "kid": "/dev/null"}
    return {
        "RS256 by a key of theirs": jwt.encode(said, key, "RS256"),
        "HS256 by what is public": signed(said, public.decode().replace("-", "")),
        "an empty key": by_nothing(pair.access),
        "a key that is said to be elsewhere": signed(said, "x" * 32, headers=own),
        "kid by injection": signed(said, "x" * 32, headers={"kid": "' UNION SELECT 'x' --"}),
        "the type in other capitals": signed(said | {"token_type": "ACCESS"}),
        "a list of audiences without ours": signed(said | {"aud": ["else", "other"]}),
        "two tokens": f"{pair.access} {pair.access}",
        "with a tail": f"{pair.access}.x",
    }


@pytest.fixture
def tokens(stack):
    email, _rest = sign_up(stack.urls[0], "Alice")
    pair = stack.run(pair_of, email)
    wrong = stack.run(forged, pair) | stack.run(confused, pair)
    good = Rest(stack.urls[0], Authorization=f"Bearer {pair.access}")
    assert good("GET", "/api/v1/me/").status == 200
    return {
        what: token
        for what, token in wrong.items()
        if token and token.isascii() and len(token) < HEADER_MAX
    }


def test_http_answers_401_as_a_problem(stack, tokens):
    for what, token in tokens.items():
        rest = Rest(stack.urls[1], Authorization=f"Bearer {token}")
        for method, path, body in (
            ("GET", "/api/v1/me/", None),
            ("POST", "/graphql/", {"query": "{ me { id } }"}),
            ("GET", "/api/open-chats", None),
            ("POST", "/api/v1/rooms/1/events/", {"cid": CID, "body": "x"}),
        ):
            answer = rest(method, path, body)
            assert answer.status == 401, (what, path, answer.body)
            assert answer.headers["Content-Type"] == "application/problem+json", what
            assert answer.headers["WWW-Authenticate"].startswith("Bearer"), what


async def test_the_socket_is_closed_with_4001(stack, tokens):
    async def come(token):
        async with opened(stack.urls[1], words=by_token(token)) as ws:
            assert await to_the_end(ws) == []
        return ws.close_code

    words = {what: token for what, token in tokens.items() if " " not in token}
    codes = await asyncio.gather(*map(come, words.values()))
    assert dict(zip(words, codes, strict=True)) == dict.fromkeys(words, 4001)
