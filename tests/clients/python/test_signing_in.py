"""Who is signed in by the client of Python, how long, and what ends it."""

import asyncio

import pytest
from chattalk_client import ChatTalk, Refused, SignedOut, Unreachable
from chattalk_client.rest import Rest
from chattalk_client.session import Session
from chattalk_client.site import Site

from accounts import tokens
from accounts.models import Device
from tests.clients.python.conftest import bodies, signed_in, signed_up
from tests.doors.clients import PASSWORD


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
async def rest(fast):
    rest = Rest(Site(fast.urls))
    yield rest
    await rest.close()


@pytest.fixture
async def pairs():
    return []


@pytest.fixture
async def session(fast, rest, pairs):
    """Of a new person, by a clock that stands still."""
    email = await signed_up(fast, "Alice")
    return Session(rest, email=email, password=PASSWORD, kept=pairs.append, now=Clock())


async def test_a_token_is_renewed_before_it_is_over_and_once_for_all_who_ask(session, pairs):
    first = await session.proof()
    session._now.seconds += 539
    assert await session.proof() == first
    session._now.seconds += 2  # a minute before its end
    asked = await asyncio.gather(*[session.proof() for _ in range(20)])
    assert set(asked) == {pairs[1].access} and pairs[1].access != first
    assert [pair.expires_in for pair in pairs] == [600, 600]
    assert repr(pairs[0]) == "Pair(expires_in=600)"
    assert (await session.call("GET", "me/"))["display_name"] == "Alice"


async def test_a_renewal_outlives_who_asked_for_it(session, pairs):
    await session.proof()
    asking = asyncio.create_task(session.renew())
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await session.close()
    assert len(pairs) == 2
    assert await session.renew() == pairs[2].access


async def test_a_token_that_the_site_takes_no_more_is_renewed(fast, session, pairs):
    await session.proof()
    device = await fast.arun(lambda: Device.objects.latest("pk"))
    session._access = await fast.arun(_run_out, pairs[0].refresh)
    answers = await asyncio.gather(*[session.call("GET", "me/") for _ in range(5)])
    assert [answer["display_name"] for answer in answers] == ["Alice"] * 5
    assert len(pairs) == 2 and device


def _run_out(refresh):
    """An access token of the same device, that was over a minute ago."""
    from datetime import timedelta

    device_id, _token_id = tokens.read_refresh(refresh)
    return tokens.access(Device.objects.get(pk=device_id), timedelta(minutes=-1))


async def test_whose_refresh_token_is_spent_signs_in_again_if_they_can(fast, rest, session, pairs):
    await session.proof()
    await fast.arun(Device.objects.filter(pk=_device(pairs[0])).delete)
    assert await session.renew() == pairs[1].access
    assert _device(pairs[0]) != _device(pairs[1])
    other = Session(rest, refresh=pairs[1].refresh)
    await fast.arun(Device.objects.filter(pk=_device(pairs[1])).delete)
    with pytest.raises(SignedOut):
        await other.proof()


def _device(pair):
    return tokens.read_refresh(pair.refresh)[0]


async def test_a_wrong_password_a_lonely_client_and_no_site_are_said_at_once(fast):
    email = await signed_up(fast, "Alice")
    with pytest.raises(Refused, match="invalid_login") as refused:
        async with ChatTalk(fast.urls[0], email=email, password="a short and loud morning"):
            pass
    assert refused.value.status == 401
    with pytest.raises(ValueError, match="sign in with"):
        ChatTalk(fast.urls[0], email=email)
    with pytest.raises(ValueError, match="not the address"):
        ChatTalk("chat.example.org", access="x")
    with pytest.raises(ValueError, match="not an access token$"):
        ChatTalk(fast.urls[0], access="two words")
    with pytest.raises(Unreachable):
        async with ChatTalk("http://127.0.0.1:9", email=email, password=PASSWORD):
            pass


async def test_a_socket_that_was_opened_with_a_token_that_is_over_gets_another(
    fast, session, pairs
):
    await session.proof()
    over = await fast.arun(_run_out, pairs[0].refresh)
    async with ChatTalk(
        fast.urls, access=over, refresh=pairs[0].refresh, kept=pairs.append
    ) as chat:
        assert chat.me.name == "Alice"
    assert len(pairs) == 2


async def test_who_is_signed_out_everywhere_is_told_so_where_they_read(fast, session, pairs):
    access = await session.proof()
    async with ChatTalk(fast.urls, access=access) as chat:
        room = await chat.enter((await chat.open("Tea")).id)
        reading = asyncio.create_task(anext(room.events()))
        await session.call("POST", "tokens/revoke/", {"everywhere": True})
        with pytest.raises(SignedOut):
            await reading
        with pytest.raises(SignedOut):
            await room.send("still here?")


async def test_what_nobody_was_told_is_told_at_the_end(fast, session, pairs):
    access = await session.proof()
    with pytest.raises(SignedOut):
        async with ChatTalk(fast.urls, access=access) as chat:
            await session.call("POST", "tokens/revoke/", {"everywhere": True})
            async with asyncio.timeout(20):
                while chat._connection.fault is None:
                    await asyncio.sleep(0.01)


async def test_who_has_a_password_comes_back_by_it(fast):
    async with signed_in(fast, "Alice") as alice:
        room = await alice.enter((await alice.open("Tea")).id)
        await alice.call("POST", "tokens/revoke/", {"everywhere": True})
        await room.send("here again")
        assert await bodies(room, 1) == ["here again"]


async def test_signing_out_closes_the_client_and_ends_the_device(fast, session, pairs):
    access = await session.proof()
    async with ChatTalk(fast.urls, access=access) as chat:
        await chat.sign_out()
    with pytest.raises(SignedOut):
        async with ChatTalk(fast.urls, access=access):
            pass
