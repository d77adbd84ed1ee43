"""Whose e-mail is whose, for a wire that names people by it: asked once, kept for a while."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable

from messaging import queries
from messaging.database import Reads

KEPT_MAX = 20_000  # people
KEPT_SECONDS = 60.0  # an administrator may change one


class Emails:
    """Belongs to one event loop."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads
        self._known: OrderedDict[int, tuple[str, float]] = OrderedDict()

    def known(self, user_id: int) -> str | None:
        email, until = self._known.get(user_id, ("", 0.0))
        return email if until > asyncio.get_running_loop().time() else None

    async def learn(self, user_ids: Iterable[int]) -> None:
        """One query for all that are not known. Raises Unavailable."""
        unknown = [user_id for user_id in user_ids if self.known(user_id) is None]
        if unknown:
            rows = await self._reads.rows(queries.EMAILS, users=unknown)
            self.keep(dict.fromkeys(unknown, "") | dict(rows))

    def keep(self, emails: dict[int, str]) -> None:
        until = asyncio.get_running_loop().time() + KEPT_SECONDS
        for user_id, email in emails.items():
            self._known[user_id] = email, until
            self._known.move_to_end(user_id)
        while len(self._known) > KEPT_MAX:
            self._known.popitem(last=False)
