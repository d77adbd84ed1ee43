"""The socket that comes back: one at a time, for all rooms, until it is closed for good.

Whoever tells something waits for a socket, however often it breaks meanwhile. The socket is read as
fast as the event loop runs: who is slow at the other end of this client holds nothing up, for rooms
keep little and fetch the rest from the log (feed.py). A loop that is kept busy holds up the site.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, NoReturn, Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from chattalk_client.backoff import Backoff, Loss, named
from chattalk_client.errors import (
    ChatTalkError,
    Closed,
    Ended,
    Failed,
    Refused,
    SignedOut,
    Unreachable,
)
from chattalk_client.observer import Observer
from chattalk_client.rest import USER_AGENT, seconds
from chattalk_client.sign_in import SignIn
from chattalk_client.site import Site

FRAME_BYTES_MAX = 64 * 1024  # that the site takes; it closes for good on more
HEARD_BYTES_MAX = 1024 * 1024  # of one frame
HELLO_WITHIN = 10.0  # seconds, and as long for the handshake before it
PING_EVERY, PONG_WITHIN = 20.0, 10.0  # seconds, of the socket's own pings
GOODBYE_WITHIN = 2.0  # seconds that the other side has to close with us
RENEW_EVERY = 24 * 3600.0  # seconds; a refresh token lasts 14 days, and a socket may last longer

SIGNED_OUT = 4001
FINAL = {
    1009: "a frame was larger than the site takes",
    4003: "the sign-in is somebody else's",
}  # by close code
PASSING = {403, 408, 425, 429}  # statuses in place of the handshake; those from 500 on are, too

log = logging.getLogger("chattalk_client")
_quiet = logging.getLogger("chattalk_client.websocket")
_quiet.setLevel(logging.INFO)  # else it writes the handshake down, which holds a token


class Listener(Protocol):
    """Whom a connection tells what it hears."""

    def opened(self) -> None: ...

    def heard(self, frame: dict[str, Any]) -> None: ...

    def lost(self) -> None: ...


@asynccontextmanager
async def _goodbye(socket: ClientConnection) -> AsyncIterator[None]:
    """Who closes us goes on purpose, and is told as away from now on. By itself the socket would
    end with 1011, as by a fault of ours, and count from when it last said something."""
    try:
        yield
    except asyncio.CancelledError:
        await socket.close()
        raise


class Connection:
    def __init__(
        self,
        site: Site,
        sign_in: SignIn,
        listener: Listener,
        observer: Observer | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        self._site, self._sign_in, self._listener = site, sign_in, listener
        self._observer, self._backoff = observer or Observer(), backoff or Backoff()
        self._socket: ClientConnection | None = None
        self._chores: asyncio.TaskGroup | None = None
        self._opened, self._over = asyncio.Event(), asyncio.Event()
        self._is_doubted = False  # the sign-in was not taken, and has been renewed since
        self.hello: dict[str, Any] = {}
        self.fault: ChatTalkError | None = None  # why it is over
        self._is_told = False

    # --- for those who use it -----------------------------------------------------------------

    def check(self) -> None:
        """Raises `fault`, if it is over."""
        if self.fault is not None:
            self._is_told = True
            raise self.fault

    @property
    def untold(self) -> ChatTalkError | None:
        """Why it is over, if nobody was told; who closed it knows."""
        return None if self._is_told or isinstance(self.fault, Closed) else self.fault

    async def open(self) -> ClientConnection:
        """When the site has said hello. Raises why it never will: `fault`."""
        while self._socket is None:
            self.check()
            await self._opened.wait()
        return self._socket

    async def tell(self, frame: dict[str, Any]) -> None:
        """As soon as there is a socket that takes it. Raises `fault`."""
        text = encode(frame)
        while True:
            socket = await self.open()
            self._observer.sent(frame)
            try:
                return await socket.send(text)
            except ConnectionClosed:
                self._forget(socket)

    async def hint(self, frame: dict[str, Any]) -> None:
        """By the socket of now, if there is one and it still takes it."""
        if self._socket is not None:
            self._observer.sent(frame)
            with suppress(ConnectionClosed):
                await self._socket.send(encode(frame))

    def start(self, chore: Coroutine[Any, Any, None]) -> None:
        """Beside the reading; ends with this socket. A fault of it is a fault of the client.
        For the listener only, while it is told something."""
        assert self._chores is not None
        self._chores.create_task(chore)

    async def pause(self, wait: float) -> None:
        """That many seconds. Raises `fault`, at once when it comes."""
        with suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await self._over.wait()
        self.check()

    # --- its life -------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until it is over for good: then `fault` says why. Cancel it to close it."""
        try:
            await self._come_back_for_ever()
        except Exception as error:
            self.end(_fault_of(error))

    def end(self, fault: ChatTalkError) -> None:
        """All who wait are told why; the first reason stands."""
        if self.fault is None:
            self.fault = fault
            self._socket = None
            self._over.set()
            self._opened.set()
            self._listener.lost()

    async def _come_back_for_ever(self) -> NoReturn:
        loop = asyncio.get_running_loop()
        while True:
            url, began = self._site.url, loop.time()
            loss = await self._once()
            if loss.code in FINAL:
                raise Ended(loss.code, loss.reason or FINAL[loss.code])
            self._site.leave(url)
            wait = self._backoff.wait(loss, lasted=loop.time() - began)
            log.info("%s: lost (%s %s), back in %.1f s", url, loss.code, loss.reason, wait)
            await asyncio.sleep(wait)

    async def _once(self) -> Loss:
        """One socket, from its handshake to its end. Raises SignedOut, Ended."""
        try:
            proof = await self._sign_in.proof()
            self._observer.connecting(self._site.url)
            async with self._connect(proof) as socket, _goodbye(socket):
                loss = await self._live(socket)
        except Refused as refusal:
            if not refusal.is_passing:
                raise SignedOut(str(refusal)) from refusal
            return Loss(refusal.status, refusal.sentence, refusal.retry_after)
        except InvalidStatus as error:
            return self._turned_away(error)
        except (OSError, InvalidHandshake) as error:  # TimeoutError is an OSError
            return self._lost(Loss(None, f"{type(error).__name__}: {error}"))
        except Unreachable as error:
            return Loss(None, f"{type(error).__name__}: {error}")
        if loss.code == SIGNED_OUT:
            self._doubt(proof)
        return loss

    def _lost(self, loss: Loss) -> Loss:
        self._observer.lost(loss)
        return loss

    def _turned_away(self, error: InvalidStatus) -> Loss:
        """Raises Ended, where there is no such site."""
        status = error.response.status_code
        loss = self._lost(Loss(status, "", seconds(error.response.headers.get("Retry-After"))))
        if status not in PASSING and status < 500:
            raise Ended(None, f"HTTP {status} in place of the handshake") from error
        return loss

    def _doubt(self, proof: str) -> None:
        """The next attempt is made with another one; if that is not taken either, it is over."""
        if self._is_doubted:
            raise SignedOut("the site does not take the sign-in")
        self._is_doubted = True
        self._sign_in.doubt(proof)

    def _connect(self, proof: str) -> connect:
        return connect(
            self._site.socket_url,
            user_agent_header=USER_AGENT,
            compression=None,
            logger=_quiet,
            open_timeout=HELLO_WITHIN,
            ping_interval=PING_EVERY,
            ping_timeout=PONG_WITHIN,
            close_timeout=GOODBYE_WITHIN,
            max_size=HEARD_BYTES_MAX,
            **self._sign_in.handshake(proof),
        )

    async def _live(self, socket: ClientConnection) -> Loss:
        try:
            async with asyncio.timeout(HELLO_WITHIN):
                self.hello = await self._hear(socket)
            self._is_doubted = False
            async with asyncio.TaskGroup() as self._chores:
                self.start(self._stay_signed_in())
                self._socket = socket
                self._opened.set()
                self._listener.opened()
                while True:
                    self._listener.heard(await self._hear(socket))
        except* ConnectionClosed:
            pass  # how it was closed is said by the socket
        finally:
            self._forget(socket)
        reason = socket.close_reason
        return self._lost(Loss(socket.close_code, reason or "", named(reason)))

    async def _hear(self, socket: ClientConnection) -> dict[str, Any]:
        frame: dict[str, Any] = json.loads(await socket.recv())
        self._observer.heard(frame)
        return frame

    def _forget(self, socket: ClientConnection) -> None:
        """It takes nothing any more."""
        if self._socket is socket:
            self._socket = None
            self._opened.clear()
            self._listener.lost()

    async def _stay_signed_in(self) -> None:
        """Nobody may ask for a token while the socket stands."""
        while self._sign_in.is_renewable:
            await asyncio.sleep(RENEW_EVERY)
            try:
                await self._sign_in.renew()
            except (Refused, Unreachable) as error:  # there is time to try again
                log.warning("the sign-in was not renewed: %s", error)


def encode(frame: dict[str, Any]) -> str:
    return json.dumps(frame, separators=(",", ":"))


def _fault_of(error: Exception) -> ChatTalkError:
    first = error
    while isinstance(first, ExceptionGroup):
        first = first.exceptions[0]
    if isinstance(first, ChatTalkError):
        return first
    failed = Failed(f"{type(first).__name__}: {first}")
    failed.__cause__ = error
    return failed
