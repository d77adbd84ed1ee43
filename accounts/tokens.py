"""Access tokens: what they say, and whether they count.

A token is good while its signature and its time are, its device is signed in, and its person is
active. Answers are kept in Redis (token_cache.py); who ask for the same token at the same time
share one question, and one look at the database.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, NamedTuple, cast
from uuid import UUID

import jwt
from channels.db import database_sync_to_async
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from rest_framework_simplejwt import tokens as simplejwt
from rest_framework_simplejwt.exceptions import TokenError

from accounts import token_cache, validity
from accounts.models import Device, User
from accounts.token_cache import known, names
from core.redis.async_cache import FAILURES, AsyncCache

TOKEN_MAX = 2_000  # characters
WAIT_SECONDS = 10  # for another's look at the same token
# In the order of the model's columns, as `from_db` wants them.
KEPT_FIELDS = ("id", "is_superuser", "email", "display_name", "language", "is_active", "is_staff")


class NotValid(Exception):
    """The token does not count: forged, expired, of another kind, or its sign-in has ended."""

    def __init__(self) -> None:
        super().__init__(_("This token is not valid, or not any more. Sign in again."))


class Identity(NamedTuple):
    """The caller. Only the person's KEPT_FIELDS are loaded; the others are when asked for."""

    user: User
    device_id: UUID


class _Facts(NamedTuple):
    fields: tuple[Any, ...]  # KEPT_FIELDS
    device_id: UUID
    until: float  # seconds since 1970


def access(device: Device, life: timedelta | None = None) -> str:
    """A new access token of the device, for ACCESS_TOKEN_LIFETIME unless `life` is given."""
    token = simplejwt.AccessToken()
    if life is not None:
        token.set_exp(lifetime=life)
    return _signed(token, device)


def refresh(device: Device) -> str:
    """The device's one good refresh token: for the same state the same text, however often."""
    token = simplejwt.RefreshToken()
    token["jti"] = device.refresh_id.hex
    token["iat"] = int(device.refreshed_at.timestamp())
    token["exp"] = int(device.expires_at.timestamp())
    return _signed(token, device)


def _signed(token: simplejwt.Token, device: Device) -> str:
    token["sub"], token["sid"] = str(device.user_id), device.pk.hex
    return str(token)


def read_refresh(token: str) -> tuple[UUID, UUID]:
    """The device and the id of a refresh token, if its signature and time are good.

    Raises NotValid.
    """
    claims = _claims(simplejwt.RefreshToken, token)
    return claims["sid"], claims["jti"]


def signed_for(token: str) -> UUID | None:
    """The device that we have signed this token for, of either kind, if we have. Whether it counts
    still is not asked: that is dear, and this is for telling who asks from who tries."""
    jwts = cast(dict[str, Any], settings.SIMPLE_JWT)
    try:
        claims = jwt.decode(
            token[: TOKEN_MAX + 1], jwts["SIGNING_KEY"], [jwts["ALGORITHM"]],
            audience=jwts["AUDIENCE"], issuer=jwts["ISSUER"], options={"verify_exp": False},
        )  # fmt: skip
        return UUID(claims["sid"])
    except (jwt.InvalidTokenError, KeyError, ValueError, TypeError, AttributeError, RecursionError):
        return None


def verify(token: str) -> Identity:
    """The holder of an access token. Raises NotValid."""
    return _identity(_together(_digest(token), token))


class Verifier:
    """The same for many, for an event loop, which it belongs to."""

    def __init__(self) -> None:
        self._kept = AsyncCache("tokens")

    async def holders(self, tokens: Sequence[str]) -> list[Identity | None]:
        """None for one that is not valid. What Redis knows is asked for by one question; each of
        the others, or all while Redis is down, is verified in a thread."""
        claimed = {token: user_id for token in tokens if (user_id := _claimed_or_none(token))}
        keys = {token: (_digest(token), user_id) for token, user_id in claimed.items()}
        try:
            found = await self._kept.get_many({n for key in keys.values() for n in names(*key)})
        except FAILURES:
            found = {}
        kept = {token: known(found, *key)[0] for token, key in keys.items()}
        missing = [token for token, facts in kept.items() if facts is None]
        looked = await asyncio.gather(*(_verify_in_thread(token) for token in missing))
        holders = {token: _identity(_Facts(*facts)) for token, facts in kept.items() if facts}
        holders |= {one: holder for one, holder in zip(missing, looked, strict=True) if holder}
        return [holders.get(token) for token in tokens]

    async def close(self) -> None:
        await self._kept.close()


def _verify_or_none(token: str) -> Identity | None:
    try:
        return verify(token)
    except NotValid:
        return None


async def _verify_in_thread(token: str) -> Identity | None:
    return await database_sync_to_async(_verify_or_none, thread_sensitive=False)(token)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def _identity(facts: _Facts) -> Identity:
    user: User = User.from_db("default", KEPT_FIELDS, facts.fields)
    return Identity(user, facts.device_id)


def of_device(device_id: UUID) -> Identity:
    """The person who is signed in on this device. Raises NotValid."""
    device = Device.objects.select_related("user").filter(pk=device_id).first()
    if device is None or not validity.device_holds(device):
        raise NotValid
    return Identity(device.user, device.pk)


def person_changed(
    instance: User, update_fields: Iterable[str] | None = None, **_signal: Any
) -> None:
    """A receiver, where the project has none otherwise: pages, the admin and commands save people
    in their own ways, and none of them may leave a token that says what is no longer so."""
    if set(update_fields or ()) != {"last_login"}:
        user_id = instance.pk
        transaction.on_commit(lambda: token_cache.forget(user_id), robust=True)


def _claimed(token: str) -> int:
    """The id that the token claims: only good for finding the person's stamp. Raises NotValid."""
    if len(token) > TOKEN_MAX:
        raise NotValid
    try:
        claims = jwt.decode(token, options={"verify_signature": False, "verify_exp": False})
        return int(claims["sub"])
    except (jwt.InvalidTokenError, KeyError, ValueError, TypeError, RecursionError):
        raise NotValid from None


def _claims(kind: type[simplejwt.Token], token: str) -> dict[str, Any]:
    if len(token) > TOKEN_MAX:
        raise NotValid
    try:
        claims = dict(kind(token).payload)  # type: ignore[arg-type]  # it means text
        return claims | {"sid": UUID(claims["sid"]), "jti": UUID(claims["jti"])}
    except (TokenError, KeyError, ValueError, TypeError, AttributeError, RecursionError):
        raise NotValid from None


def _claimed_or_none(token: str) -> int | None:
    try:
        return _claimed(token)
    except NotValid:
        return None


_mutex = Lock()
_under_way: dict[str, Future[_Facts]] = {}


def _together(digest: str, token: str) -> _Facts:
    with _mutex:
        look = _under_way.get(digest)
        if is_first := look is None:
            look = _under_way[digest] = Future()
    assert look is not None
    try:
        if is_first:
            _find_out(look, digest, token)
        return look.result(WAIT_SECONDS)
    finally:
        del look  # what it raises holds this frame: a circle


def _find_out(look: Future[_Facts], digest: str, token: str) -> None:
    try:
        look.set_result(_answer(digest, token))
    except BaseException as error:  # theirs to know as well
        look.set_exception(error)
    finally:
        del look
        with _mutex:
            del _under_way[digest]


def _answer(digest: str, token: str) -> _Facts:
    try:
        kept, stamp = token_cache.find(digest, _claimed(token))
    except token_cache.Down:
        return _look(token)
    if kept is not None:
        return _Facts(*kept)
    facts = _look(token)
    _keep(digest, stamp, facts)
    return facts


def _look(token: str) -> _Facts:
    claims = _claims(simplejwt.AccessToken, token)
    identity = of_device(claims["sid"])
    if str(identity.user.pk) != claims["sub"]:
        raise NotValid
    fields = tuple(getattr(identity.user, name) for name in KEPT_FIELDS)
    return _Facts(fields, identity.device_id, float(claims["exp"]))


def _keep(digest: str, stamp: str, facts: _Facts) -> None:
    left = facts.until - datetime.now().timestamp()
    if left >= 1:
        with suppress(token_cache.Down):  # the next request verifies it anew, as this one did
            token_cache.keep(digest, facts.fields[0], stamp, tuple(facts), int(left))
