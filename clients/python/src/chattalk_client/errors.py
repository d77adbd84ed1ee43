"""What can go wrong, in the words of docs/wire.md and docs/api.md. All are `ChatTalkError`."""

from typing import Any

_PASSING_CODES = {"unavailable", "rate_limited", "locked_out", "too_many"}
_PASSING_STATUSES = {408, 425, 429}


class ChatTalkError(Exception):
    """Whatever this package raises by itself, bad arguments apart."""


class Refused(ChatTalkError):
    """The site said no: a `nack`, or a problem in answer to a request. Nothing was changed.

    code         stable, to go by: "room_closed", "not_member", "rate_limited", …
    sentence     for people, in their language
    retry_after  seconds to wait before the same may be asked again, where the site names them
    status       of the HTTP answer; None for a `nack`
    """

    def __init__(
        self,
        code: str,
        sentence: str = "",
        retry_after: float | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(code, sentence, retry_after, status)
        self.code = code
        self.sentence = sentence
        self.retry_after = retry_after
        self.status = status

    def __str__(self) -> str:
        return f"{self.code}: {self.sentence}" if self.sentence else self.code

    @property
    def is_passing(self) -> bool:
        """Whether the same may be taken if it is asked again later."""
        status = self.status or 0
        return self.code in _PASSING_CODES or status in _PASSING_STATUSES or status >= 500

    @classmethod
    def by_nack(cls, frame: dict[str, Any]) -> "Refused":
        return cls(frame["code"], frame.get("detail", ""), frame.get("retry_after"))


class Unreachable(ChatTalkError):
    """A request had no answer. What it asked for may have been done or not."""


class SignedOut(ChatTalkError):
    """The sign-in has ended, and can't be renewed: sign in again (close code 4001)."""


class Ended(ChatTalkError):
    """The site closed the connection for good; coming back would not help.

    code    of the close frame; None where the handshake itself was refused
    reason  as the site gave it
    """

    def __init__(self, code: int | None, reason: str = "") -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason

    def __str__(self) -> str:
        return f"the site ended the connection: {self.code or ''} {self.reason}".rstrip()


class Failed(ChatTalkError):
    """This client met something that it does not understand; `__cause__` says what."""


class Closed(ChatTalkError):
    """The client was closed by its owner while this was waiting."""
