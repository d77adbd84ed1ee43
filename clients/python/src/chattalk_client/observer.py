"""What goes over the line, for those who count it, time it or write it down."""

from typing import Any

from chattalk_client.backoff import Loss


class Observer:
    """Does nothing: override what you want to know.

    It is told everything in the order of the wire, before the client makes anything of it: also a
    line that comes a second time, and a hole that is filled afterwards. It is called between two
    steps of the event loop, so it should be quick; what it raises ends the client (`Failed`).
    """

    def connecting(self, url: str) -> None:
        """A socket is about to be opened there."""

    def sent(self, frame: dict[str, Any]) -> None:
        """It goes out; whether it arrives is not known."""

    def heard(self, frame: dict[str, Any]) -> None:
        """It came. The same object goes to the client: leave it as it is."""

    def lost(self, loss: Loss) -> None:
        """The socket has ended, or none could be opened."""
