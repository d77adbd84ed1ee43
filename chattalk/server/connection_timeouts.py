"""What a connection may take of us: time, size, and how many there may be of one address.

uvicorn itself ends a connection that is idle between two requests, and nothing else: who connects
and says nothing, drips a request byte by byte, or asks for much and reads none of it, stays for
ever. Here each has its time. What an open socket may take, messaging/ decides, but for what must be
known before a message is whole.
"""

import asyncio
import ipaddress
import logging
import socket
from functools import lru_cache
from typing import Any

import h11
import uvicorn
from django.conf import settings
from uvicorn.protocols.http.h11_impl import H11Protocol
from websockets.frames import Frame

from chattalk.server import forwarded, idle, request_ids, upgrades
from core import client_ip, connection_limits, refusal_log
from core.rate_limits import CellRate, Pace
from interfaces.socket import handshake
from messaging.live.close_codes import CloseCode
from messaging.live.reading import DirectProtocol

REQUEST_SECONDS = 10.0  # from the connection, or the last answer, to the end of the next head
BODY_SECONDS = 20.0  # for the body
READING_SECONDS = 30.0  # in which who reads an answer takes READING_BYTES of what waits
READING_BYTES = 16 * 1024
PARTING_SECONDS = 3.0  # for what was said last, and for the other side of a close handshake
FRAGMENTS_MAX = 256  # of one message; each may be empty, and is kept all the same
PIECE = 16 * 1024  # bytes that are parsed at once: a frame of 6 bytes costs 100 times as much
PING_RATE, PING_BURST = 10, 100  # a second and at once; a client needs one in many seconds
REST_SECONDS = 5.0  # at most, in which nothing is read of who pings more

TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
NO_HANDSHAKE = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
WAITS = {h11.IDLE: REQUEST_SECONDS, h11.SEND_BODY: BODY_SECONDS}


class Configuration(uvicorn.Config):
    """uvicorn's, and how many connections each address has open that are no sockets."""

    def __init__(self, app: str, *, proxies: list[str], most: int, **options: Any) -> None:
        super().__init__(app, http=Request, ws=SocketProtocol, **options)
        self.connection_limit = connection_limits.ConnectionLimit(most)
        self.ping_rate = CellRate(PING_RATE, PING_BURST)
        self._proxies = [ipaddress.ip_network(proxy) for proxy in proxies]
        logging.getLogger("uvicorn.error").addFilter(not_ours)
        self.counted = lru_cache(maxsize=4096)(self._counted)

    def _counted(self, peer: str) -> str:
        """As whom a peer counts. A proxy of ours counts its own clients: it has no number."""
        home = client_ip.home(peer)
        if not home or any(forwarded.plain(peer) in proxy for proxy in self._proxies):
            return ""
        return home

    def load(self) -> None:
        super().load()
        self.loaded_app = forwarded.ForwardedWatch(self.loaded_app, self._proxies)
        if settings.LOG_FORMAT == "JSON":
            self.loaded_app = request_ids.Named(self.loaded_app, self._proxies)


class Request(H11Protocol):
    """A connection until it becomes a socket, if it does."""

    config: Configuration
    _who: str | None = None  # as whom it counts; None: not any more
    _has_said = False
    _phase: Any = None
    _patience: asyncio.TimerHandle | None = None
    _reading: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self.client is None and _is_of_the_network(transport):
            transport.abort()  # gone before we came to it; it asks again, and must not be overtaken
            return
        who = self.config.counted(self.client[0]) if self.client else ""
        if not self.config.connection_limit.take(who):
            refusal_log.note("a connection, for there are too many of this address", who)
            self._end(_too_many())
            return
        self._who = who
        self._begin_phase()

    def connection_lost(self, exc: Exception | None) -> None:
        self._let_go()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        is_first, self._has_said = not self._has_said, True
        if is_first and (shake := upgrades.read(data)):
            self._let_go()
            upgrades.begin_socket(self, shake)
        else:
            super().data_received(data)

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        self._let_go()
        super().handle_websocket_upgrade(event)

    @property
    def is_arriving(self) -> bool:
        """It has asked for nothing yet."""
        return self.cycle is None and not self.transport.is_closing()

    def _let_go(self) -> None:
        """It is over, or becomes a socket and counts as one."""
        if self._who is not None:
            self.config.connection_limit.give_back(self._who)
            self._who = None
        for timer in (self._patience, self._reading):
            if timer is not None:
                timer.cancel()
        self._patience = self._reading = None

    def _end(self, last_words: bytes) -> None:
        if last_words:
            self.transport.write(last_words)
        self.transport.close()
        self.loop.call_later(PARTING_SECONDS, self.transport.abort)  # who does not read it, either

    # --- what the client sends ------------------------------------------------------------------

    def handle_events(self) -> None:
        super().handle_events()
        self._begin_phase()

    def _begin_phase(self) -> None:
        phase = self.conn.their_state
        if self._who is None or phase is self._phase:
            return
        self._phase = phase
        if self._patience is not None:
            self._patience.cancel()
        seconds = WAITS.get(phase)
        self._patience = self.loop.call_later(seconds, self._is_too_slow) if seconds else None

    def _is_too_slow(self) -> None:
        refusal_log.note("a request that does not come to its end", self._who)
        answered = self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE)
        self._end(b"" if answered else TOO_SLOW)

    # --- what it reads --------------------------------------------------------------------------

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_reading()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch_reading()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._watch_reading()

    def _watch_reading(self) -> None:
        unread = self.transport.get_write_buffer_size()
        if unread and self._who is not None and self._reading is None:
            self._reading = self.loop.call_later(READING_SECONDS, self._look_again, unread)

    def _look_again(self, before: int) -> None:
        self._reading = None
        unread = self.transport.get_write_buffer_size()
        if unread > max(0, before - READING_BYTES):
            refusal_log.note("an answer that nobody reads", self._who)
            self.transport.abort()
        else:
            self._watch_reading()


def _is_of_the_network(transport: asyncio.Transport) -> bool:
    """A connection of the network has an address at its other end, as long as that is there."""
    return transport.get_extra_info("socket").family in (socket.AF_INET, socket.AF_INET6)


def _too_many() -> bytes:
    status, headers, body = handshake.refusal()
    lines = [f"HTTP/1.1 {status} Too Many Requests".encode()]
    lines += [name + b": " + value for name, value in headers]
    lines += [b"content-length: %d" % len(body), b"connection: close", b"", body]
    return b"\r\n".join(lines)


class SocketProtocol(upgrades.QuickHandshake, DirectProtocol, idle.SmallProtocol):
    """A connection that is a socket."""

    __slots__ = idle.SLOTS
    config: Configuration
    _rest: asyncio.TimerHandle | None  # from reading, of who pings without end

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._key = self._rest = self.take_now = self.box = None
        self._is_waited_for = self._is_between = False
        self.close_timeout = PARTING_SECONDS
        self._pings = Pace(self.config.ping_rate)

    @property
    def is_arriving(self) -> bool:
        return not self.handshake_complete and not self.transport.is_closing()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._rest is not None:
            self._rest.cancel()
        super().connection_lost(exc)

    def keepalive_timeout(self) -> None:
        """It is closed with 1011, which is no fault of ours (messaging/live/close_codes.py)."""
        refusal_log.note("a socket on, for it answered no ping", self.client and self.client[0])
        super().keepalive_timeout()

    def data_received(self, data: bytes) -> None:
        data = self.read_whole_texts(data)
        for start in range(0, len(data), PIECE):
            if self.transport.is_closing():
                return
            self._read(data[start : start + PIECE] if len(data) > PIECE else data)

    def handle_ping(self) -> None:
        """Each costs an answer, which waits in memory for who does not read: who sends too many is
        read more slowly, so no speed of ours or of theirs makes more of them."""
        super().handle_ping()
        self._pings.count(1, REST_SECONDS)
        seconds = self._pings.left()
        if seconds and self._rest is None:
            refusal_log.note("pings without end", self.client and self.client[0])
            self.transport.pause_reading()
            self._rest = self.loop.call_later(seconds, self._read_on)

    def _read_on(self) -> None:
        self._rest = None
        if not (self.read_paused or self.transport.is_closing()):
            self.transport.resume_reading()

    def _read(self, data: bytes) -> None:
        self.read_any(data)
        if not self.handshake_initiated and self.conn.handshake_exc is not None:
            refusal_log.note("a handshake that can't be read", self.client and self.client[0])
            self.transport.write(NO_HANDSHAKE)  # uvicorn would wait for more, for ever
            self.transport.close()

    def handle_cont(self, event: Frame) -> None:
        if self.close_sent:
            return
        if len(self.frames) >= FRAGMENTS_MAX:
            refusal_log.note("a message in too many pieces", self.client and self.client[0])
            self.frames = []
            self.conn.fail(CloseCode.TOO_BIG, "too many fragments")
            self.handle_parser_exception()
            return
        super().handle_cont(event)


def not_ours(record: logging.LogRecord) -> bool:
    """A filter of uvicorn's log: what only the client did wrong is no traceback, and a flood of it
    is one line."""
    said = str(record.msg)
    if said.startswith(("Invalid UTF-8", "Invalid HTTP", "Unsupported upgrade")):
        refusal_log.note(said.rstrip("."), "somebody")
        return False
    return True
