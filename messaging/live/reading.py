"""What comes in on a socket: whole text messages by a short way, all else by uvicorn's own.

Nearly every frame of a client is a whole, masked text message that came in one piece. Such a one
needs no parser that can wait in the middle of it, and where its consumer waits for nothing else, no
queue and no task either: it is handed over at once. Any other byte goes to the class below, which
knows all of RFC 6455; tests hold the two ways beside each other, answer for answer.
"""

from collections.abc import Callable
from typing import Any, Protocol

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState
from websockets.frames import apply_mask
from websockets.protocol import OPEN
from websockets.streams import StreamReader

WHOLE_TEXT = 0x81
MASKED = 0x80
LENGTH_IN_2_BYTES, LENGTH_IN_8_BYTES = 126, 127
SMALLEST = 6  # bytes of a masked frame that says nothing

Take = Callable[[str], bool]


class Box(Protocol):
    def is_full(self, so_it_is: bool) -> None: ...

    def is_over(self) -> None: ...


class DirectProtocol(WebSocketsSansIOProtocol):
    """uvicorn's, with the short way."""

    take_now: Take | None = None  # a consumer's; says whether it has done it
    box: Box | None = None  # is told whether its client takes what it gets
    _is_waited_for = False  # by the consumer, which has done all that came before
    _is_between = False  # frames: known to be so, or to be looked at

    def attend(self, take: Take) -> None:
        """Until the connection ends, which it may have done before its client was let in."""
        if not self.disconnected:
            self.take_now = take

    def connection_lost(self, exc: Exception | None) -> None:
        if self.box is not None:
            self.box.is_over()
        self.take_now = self.box = None  # or each would be the other's, and nobody collects that
        super().connection_lost(exc)

    def _tell_the_end(self) -> None:
        """Where uvicorn has said goodbye by itself."""
        if self.box is not None and self.transport.is_closing():
            self.box.is_over()

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self._tell_the_end()

    def shutdown(self) -> None:
        super().shutdown()
        self._tell_the_end()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self.box is not None:
            self.box.is_full(True)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self.box is not None:
            self.box.is_full(False)

    async def receive(self) -> Any:
        """As uvicorn has it; whoever waits here can take more at once."""
        self._is_waited_for = True
        try:
            message = await self.queue.get()
        finally:
            self._is_waited_for = False
        if self.read_paused and self.queue.empty():
            self.read_paused = False
            self.transport.resume_reading()
        return message

    def data_received(self, data: bytes) -> None:
        if rest := self.read_whole_texts(data):
            self.read_any(rest)

    def read_any(self, data: bytes) -> None:
        """The long way."""
        try:
            super().data_received(data)
        except InvalidState:  # uvicorn's answer to no UTF-8, where the client's close was read, too
            self.handle_parser_exception()
        self._tell_the_end()

    def read_whole_texts(self, data: bytes) -> bytes:
        """Takes those at the beginning; what is left is for `read_any`."""
        if not (self._is_between or self._comes_between()):
            return data
        start, end, longest = 0, len(data), self.config.ws_max_size
        is_closing = self.transport.is_closing
        while end - start >= SMALLEST and data[start] == WHOLE_TEXT and not is_closing():
            size, first = data[start + 1] - MASKED, start + SMALLEST
            if size == LENGTH_IN_2_BYTES and end - start > SMALLEST + 2:
                size, first = int.from_bytes(data[start + 2 : start + 4], "big"), first + 2
            elif not 0 <= size < LENGTH_IN_2_BYTES:
                break
            after = first + size
            if after > end or size > longest:
                break
            self._take(apply_mask(data[first:after], data[first - 4 : first]))
            start = after
        if start == end:
            return b""
        self._is_between = False
        return data[start:]

    def _comes_between(self) -> bool:
        self._is_between = _is_between_messages(self.conn)
        return self._is_between

    def _take(self, payload: bytes) -> None:
        if self._is_waited_for and self.take_now is not None and self.queue.empty():
            try:
                if not self.close_sent and self.take_now(str(payload, "utf-8")):
                    return
            except UnicodeDecodeError:
                pass  # uvicorn's answers
        self.frames, self.curr_msg_data_type = [payload], "text"
        self.send_receive_event_to_app()


def _is_between_messages(conn: Any) -> bool:
    """Whether this parser waits for the first byte of one."""
    if conn.state is not OPEN or conn.current_size is not None or conn.extensions:
        return False
    step = conn.parser
    while step.gi_yieldfrom is not None:
        step = step.gi_yieldfrom
    return bool(step.gi_code is StreamReader.at_eof.__code__)
