"""What people are called: as it is now, at every door.

A name stands in the person's row, and what is read from the log is read with it. What a process
keeps for later, it mends when a name changes: who its sockets are, who is here, the lines that are
ready for those who come back. It hears of it by the channel layer; where that lost it, or the row
was changed past all of us, by the look at the sign-ins (connections.py), within 2 s.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from messaging.live.broker import PEOPLE
from messaging.live.hub import Hub
from messaging.log.event import Person

ON_THE_WAY_SECONDS = 5.0  # after which nothing comes any more that was read before a new name


class Names:
    """The names that this process keeps. `when_renamed` are told of each new one."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.when_renamed: list[Callable[[Person], None]] = []
        self._timer: asyncio.TimerHandle | None = None

    def change(self, user: Person) -> None:
        """Somebody is called otherwise, from here on: here, and in the other processes."""
        self._hub.broker.publish(PEOPLE, message(user))
        self._rename(user)

    def heard(self, told: dict[str, Any]) -> None:
        """What other processes tell."""
        self._rename(Person(*told["user"]))

    def _rename(self, user: Person) -> None:
        for told in self.when_renamed:
            told(user)
        self._forget()
        # A line that was on its way under the old name is kept after this.
        self.close()
        self._timer = asyncio.get_running_loop().call_later(ON_THE_WAY_SECONDS, self._forget)

    def _forget(self) -> None:
        """The lines that are kept ready, with the names that stand in them."""
        self._hub.names += 1

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def message(user: Person) -> dict[str, Any]:
    """For the channel layer."""
    return {"type": "name", "user": [user.id, user.name]}
