"""Where feeds read: the database, which is the truth. What it is asked raises Unavailable."""

from core.postgresql.reads import Reads
from messaging import log
from messaging.live import frames
from messaging.live.rewinds import History
from messaging.log import LastLine, LogEnd
from messaging.log.event import Event

FILL_PAGE = 500  # events


class Source:
    def __init__(self, reads: Reads) -> None:
        self._reads = reads
        self.history = History(reads)

    async def read(self, room_id: int, after: int) -> list[Event]:
        """Some lines after that one, 500 or a resume's worth of text at most."""
        page = {"after": after, "limit": FILL_PAGE, "bytes": frames.RESUME_BYTES_MAX}
        rows = await self._reads.rows(log.SIZED_AFTER, room=room_id, **page)
        return [log.as_event(row[:-1]) for row in rows]

    async def read_head(self, room_id: int) -> LastLine:
        ((room, head, _, at, *_),) = await self._reads.rows(log.LOOK, rooms=[room_id])
        return LastLine(0) if room is None else LastLine(head, at)

    async def read_kept(self, room_id: int, line: LastLine) -> int | None:
        """Up to where the log is the one that ended with that line; None if to there."""
        return (await self.history.kept({room_id: line})).get(room_id)

    async def ends(self, rooms: list[int]) -> list[LogEnd]:
        """Where they end; at least one row, which has the time and the timeline."""
        return [LogEnd._make(row) for row in await self._reads.rows(log.LOOK, rooms=rooms)]
