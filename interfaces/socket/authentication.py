"""A socket is opened by a session, an access token or a ticket; this finds the person.

A cookie comes along whoever wrote the page, so it counts only for pages of our own (their Origin).
A token or a ticket is known to its holder alone, and counts from anywhere.
"""

import asyncio
from collections.abc import Awaitable
from functools import lru_cache
from typing import Any, TypeVar

from channels.db import database_sync_to_async
from django.conf import settings
from django.http import parse_cookie
from django.utils.translation.trans_real import parse_accept_lang_header

from accounts import tickets, token_cache
from accounts.models import User
from accounts.tokens import Identity, NotValid
from accounts.validity import Proof
from core.postgresql.breaker import Refused, is_outage
from core.postgresql.reads import ANSWER_SECONDS, Unavailable
from interfaces.socket import origins
from messaging.live import node

SUBPROTOCOL = "chattalk"  # what the server picks where a token or a ticket is offered beside it
BEARER, TICKET = "bearer.", "ticket."
AS = "as."  # and the id of the person whom the page was made for

Scope = dict[str, Any]
Caller = tuple[User, Proof]
Answer = TypeVar("Answer")


class NotSignedIn(Exception):
    """Nobody, or nobody any more."""


class SomebodyElse(Exception):
    """The page was made for another person than the browser is signed in as."""


async def of(scope: Scope) -> Caller:
    """The person of this handshake, and their proof.

    Raises NotSignedIn, SomebodyElse, Unavailable.
    """
    user, proof = await _of(scope)
    meant = (each for each in scope.get("subprotocols", ()) if each.startswith(AS))
    if any(each != f"{AS}{user.pk}" for each in meant):
        raise SomebodyElse
    return user, proof


async def _of(scope: Scope) -> Caller:
    for offered in scope.get("subprotocols", ()):
        if offered.startswith(BEARER):
            return await by_token(offered.removeprefix(BEARER))
        if offered.startswith(TICKET):
            return await by_ticket(offered.removeprefix(TICKET))
    return await by_session(scope)


def may_open(scope: Scope) -> bool:
    """Whether the handshake is worth an answer at all: a cookie from a foreign page is not."""
    return offers_proof(scope) or origins.is_own(scope)


def offers_proof(scope: Scope) -> bool:
    return any(offered.startswith((BEARER, TICKET)) for offered in scope.get("subprotocols", ()))


async def by_session(scope: Scope) -> Caller:
    """The browser's person. The Origin was looked at before. Raises NotSignedIn, Unavailable."""
    session = cookie(scope, settings.SESSION_COOKIE_NAME)
    user = await _known(node.current().connections.owner(session)) if session else None
    if user is None:
        raise NotSignedIn
    return user, Proof(user.pk, session=session, mark=user.session_mark)


def cookie(scope: Scope, name: str) -> str:
    """Empty if none came."""
    sent = next((value for header, value in scope["headers"] if header == b"cookie"), b"")
    return parse_cookie(sent.decode("latin-1")).get(name, "")


async def by_token(token: str) -> Caller:
    """The access token's person. Raises NotSignedIn, Unavailable."""
    holder = await _known(node.current().connections.holder(token))
    if holder is None:
        raise NotSignedIn
    return holder.user, Proof(holder.user.pk, device=holder.device_id)


async def by_ticket(ticket: str) -> Caller:
    """The person who asked for the ticket. Raises NotSignedIn, Unavailable."""
    redeem = database_sync_to_async(_redeem, thread_sensitive=False)
    holder = await _known(asyncio.wait_for(redeem(ticket), ANSWER_SECONDS))
    if holder is None:
        raise NotSignedIn
    return holder.user, Proof(holder.user.pk, device=holder.device_id)


def _redeem(ticket: str) -> Identity | None:
    """In a thread. An error that comes from one goes in a circle with what has waited for it."""
    try:
        return tickets.redeem(ticket)
    except NotValid:
        return None


async def _known(looked: Awaitable[Answer]) -> Answer:
    """Raises Unavailable: it can't be known now who it is. What looks bounds its time."""
    try:
        return await looked
    except Refused as error:  # to come again is no help
        raise RuntimeError("nobody can be looked up") from error
    except Exception as error:
        if is_outage(error) or isinstance(error, token_cache.Down):
            raise Unavailable from error
        raise


def language(scope: Scope, user: User) -> str:
    """The person's choice, else what the client asks for."""
    if user.language:
        return user.language
    return _asked_for(dict(scope["headers"]).get(b"accept-language", b""))


@lru_cache(maxsize=1024)
def _asked_for(header: bytes) -> str:
    for asked, _quality in parse_accept_lang_header(header.decode("latin-1").lower()):
        if asked.split("-")[0] in dict(settings.LANGUAGES):
            return asked.split("-")[0]
    return settings.LANGUAGE_CODE
