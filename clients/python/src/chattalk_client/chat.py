"""`ChatTalk`: somebody who is signed in at a site, and the rooms they are in."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from chattalk_client.backoff import LONGEST_NAMED
from chattalk_client.cookie import CookieSession
from chattalk_client.errors import Closed, Refused
from chattalk_client.observer import Observer
from chattalk_client.rest import Rest
from chattalk_client.room import Room
from chattalk_client.session import Pair, Session
from chattalk_client.shapes import Card, Person, Place
from chattalk_client.sign_in import SignIn
from chattalk_client.site import Site
from chattalk_client.switchboard import Switchboard

PUT_OFF = 503
PUT_OFF_MOST = 5  # times; then who wants in is told


class ChatTalk:
    """async with ChatTalk("https://chat.example.org", email=…, password=…) as chat: …

    url              of the site; several, where its workers have one each: they are taken in turn
    email, password  to sign in with, and again if that sign-in is ended
    access, refresh  tokens to go on with instead; without `refresh`, until `access` is over
    kept             told each new pair of tokens; a `refresh` that was shown counts no more
    cookie           "name=value" of the session of a browser that is signed in, instead of all that
    observer         told what goes over the line, as it is

    """

    def __init__(
        self,
        url: str | Sequence[str],
        *,
        email: str | None = None,
        password: str | None = None,
        access: str | None = None,
        refresh: str | None = None,
        kept: Callable[[Pair], None] | None = None,
        cookie: str | None = None,
        observer: Observer | None = None,
    ) -> None:
        """Raises ValueError for what is no address, or where nothing says who signs in."""
        site = Site(url)
        self._rest = Rest(site)
        self._sign_in: SignIn = (
            CookieSession(self._rest, cookie)
            if cookie is not None
            else Session(
                self._rest,
                email=email,
                password=password,
                access=access,
                refresh=refresh,
                kept=kept,
            )
        )
        self._switchboard = Switchboard(site, self._sign_in, observer)
        self._connection = self._switchboard.connection
        self._running: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Signed in, and connected; a site that does not answer then is waited for, and one that is
        too busy to sign people in is asked again when it says.

        Raises Refused ("invalid_login", …), SignedOut, Unreachable, Ended.
        """
        try:
            await self._signed_in()
            self._running = asyncio.create_task(self._connection.run())
            await self._connection.open()
        except BaseException:
            await self.close()
            raise
        return self

    async def _signed_in(self) -> None:
        for _ in range(PUT_OFF_MOST):
            try:
                await self._sign_in.proof()
                return
            except Refused as refusal:
                wait = refusal.retry_after
                if refusal.status != PUT_OFF or wait is None or wait > LONGEST_NAMED:
                    raise
            await asyncio.sleep(wait)
        await self._sign_in.proof()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Raises why the client was over before, if nobody else was told."""
        fault = self._connection.untold
        await self.close()
        if fault is not None and error is None:
            raise fault

    async def close(self) -> None:
        """Say goodbye. Whoever still waits for something is told `Closed`; what was sent and not
        answered may have been stored or not."""
        self._connection.end(Closed("the client was closed"))
        try:
            if self._running is not None:
                self._running.cancel()
                await asyncio.wait([self._running])
            await self._sign_in.close()
        finally:
            await self._rest.close()

    @property
    def me(self) -> Person:
        """Who is signed in; from `async with` on."""
        return self._switchboard.me

    # --- rooms ----------------------------------------------------------------------------------

    async def enter(
        self, room_id: int, *, after: int | None = None, at: datetime | None = None
    ) -> Room:
        """Hear what happens in a room from now on, or all `after` a `seq`: 0 for all of it. `at`:
        when that line was written; then it is seen if the site has lost it since.

        Raises Refused: "not_member" where I have no seat (`join` first), "too_many" rooms.
        ValueError: I am in already. And why the client is over, if it is.
        """
        return await self._switchboard.enter(room_id, after, at)

    async def rooms(
        self, *, mine: bool = False, q: str = "", state: str = ""
    ) -> AsyncIterator[Card]:
        """All rooms, the newest first, page by page as you go on.

        mine   those I have a seat in
        q      a part of the title
        state  "open", "closed" or "all"; if left out the open ones, of mine all

        Raises Refused, Unreachable, SignedOut, Closed.
        """
        query = {"mine": str(mine).lower(), "q": q, "state": state}
        page = await self.call("GET", "rooms/", query=query)
        while True:
            for told in page["results"]:
                yield Card.of(told)
            if page["next"] is None:
                return
            page = await self.call("GET", page["next"])

    async def open(self, title: str, *, description: str = "", capacity: int | None = None) -> Card:
        """Open a room of mine, and take its first seat. Raises what `call` raises."""
        wanted: dict[str, Any] = {"title": title, "description": description}
        if capacity is not None:
            wanted["capacity"] = capacity
        return Card.of(await self.call("POST", "rooms/", wanted))

    async def join(self, room_id: int) -> Place:
        """Take a seat, unless I have one. Raises Refused: "room_full", "room_closed",
        "not_found"; and what `call` raises."""
        return Place.of(await self.call("PUT", f"rooms/{room_id}/membership/"))

    async def leave(self, room_id: int) -> None:
        """Give up my seat. Raises what `call` raises."""
        await self.call("DELETE", f"rooms/{room_id}/membership/")

    async def call(
        self, method: str, path: str, body: Any = None, *, query: dict[str, Any] | None = None
    ) -> Any:
        """Anything of docs/api.md, by my sign-in: `await chat.call("GET", "unread/")`.

        Raises Refused, Unreachable, SignedOut, Closed.
        """
        return await self._sign_in.call(method, path, body, query=query)

    async def sign_out(self, *, everywhere: bool = False) -> None:
        """End this sign-in, or all of mine, and close the client. Raises what `call` raises."""
        await self.call("POST", "tokens/revoke/", {"everywhere": everywhere})
        await self.close()
