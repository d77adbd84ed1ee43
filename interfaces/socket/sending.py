"""A message of a client on its way: what the writer has in place of a future.

It is answered in the turn of the loop in which COMMIT is known: no callback of the loop, and no
context of its own, lies between.
"""

import logging
from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError

from messaging.live import frames
from messaging.live.drafts import Receipt, unavailable

logger = logging.getLogger(__name__)


class Sending:
    """Belongs to a `Client` of session.py, and to the frame by which it was sent."""

    __slots__ = ("_client", "_frame", "_is_done")

    def __init__(self, client: Any, frame: frames.Send) -> None:
        self._client, self._frame = client, frame
        self._is_done = False

    def done(self) -> bool:
        return self._is_done

    def set_result(self, receipt: Receipt) -> None:
        room_id, client_id, seq, at, repeated = receipt
        self._end(self._client.tell, frames.AckFrame(
            cid=client_id, room=room_id, seq=seq, at=at, repeated=repeated,
            ref=self._frame.ref or None,
        ))  # fmt: skip

    def set_exception(self, error: Exception) -> None:
        if not isinstance(error, PermissionDenied | ValidationError):
            logger.error("a send failed", exc_info=error)
            error = unavailable()
        self._end(self._client.refuse, self._frame, error)

    def _end(self, say: Callable[..., None], *what: Any) -> None:
        self._is_done = True
        self._client.in_flight -= 1
        try:
            say(*what)
        except Exception:  # one that stumbles must not cost the others of its batch their answers
            logger.exception("an answer was not told")
