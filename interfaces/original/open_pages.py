"""The subscriptions of the original's pages in one process, which hear that their page was left."""

from typing import Protocol
from uuid import UUID

from messaging.live import node
from messaging.live.broker import PEOPLE
from messaging.live.node import Node


class OpenPage(Protocol):
    """What an open page has subscribed to."""

    room_id: int

    def look_away(self, at: int) -> None: ...


class OpenPages:
    def __init__(self, of: Node) -> None:
        self.node = of
        of.hub.others["away"] = lambda _people, told: self._away(*told["away"])
        self._shown: dict[UUID, set[OpenPage]] = {}

    def welcome(self, device: UUID, one: OpenPage) -> None:
        """It hears from here on that its page was left, in whichever process that is said."""
        self._shown.setdefault(device, set()).add(one)

    def forget(self, device: UUID, one: OpenPage) -> None:
        if others := self._shown.get(device):
            others.discard(one)
            if not others:
                del self._shown[device]

    def tell_away(self, user_id: int, device: UUID, room_id: int | None, at: int) -> None:
        """To this process's pages and to the others'."""
        told = (user_id, device.hex, room_id, at)
        self._away(*told)
        self.node.hub.broker.publish(PEOPLE, {"type": "away", "away": told})

    def _away(self, user_id: int, device: str, room_id: int | None, at: int) -> None:
        """The pages of one room, or of all (None), were left. What was opened since then is not."""
        for one in list(self._shown.get(UUID(device), ())):
            if room_id in (None, one.room_id):
                one.look_away(at)
        if room_id is not None:  # its sockets may have gone first: they are not waited for
            self.node.presence.hurry(room_id, user_id)


_open_pages: OpenPages | None = None


def current() -> OpenPages:
    """The running event loop's, beside its node."""
    global _open_pages
    if _open_pages is None or _open_pages.node is not node.current():
        _open_pages = OpenPages(node.current())
    return _open_pages
