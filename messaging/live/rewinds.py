"""What this process knows of the database's history. By a failover that lost its tail, or a backup
that was restored, the database goes back: lines that were told are not in it, and their numbers
come again for others.

Each look at the heads says in which timeline they are. Where that is another one, or somebody
doubts, the last line of each log is compared; where one ends before a line that was told, that one.
"""

import logging
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from core import metrics
from core.postgresql.reads import Reads
from messaging import log
from messaging.log import LastLine, LogEnd

logger = logging.getLogger(__name__)

LOST = metrics.counter(
    "chattalk_lost_lines_total", "Lines that were told and that a failover of PostgreSQL has lost."
)


class Rewind(NamedTuple):
    """A room whose log has gone back."""

    room: int
    kept: int  # the last line that is still there
    lost: int  # lines that were told, and are not


class History:
    """Raises Unavailable; then the next look asks again."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads
        self._timeline: str | None = None
        self._doubts = self._settled = 0

    def doubt(self) -> None:
        """The next look compares the last lines of all logs."""
        self._doubts += 1

    async def look(self, held: Mapping[int, LastLine], found: Iterable[LogEnd]) -> list[Rewind]:
        """The logs that have gone back. `held`: how they ended before that look."""
        rows, doubts = list(found), self._doubts
        timeline = rows[0].timeline
        if timeline is None:  # a standby, which is behind
            return []
        turned = self._timeline not in (None, timeline)
        suspects = held if turned or doubts > self._settled else _behind(held, rows)
        kept = await self.kept(suspects) if suspects else {}
        rewinds = [Rewind(room, seq, held[room].seq - seq) for room, seq in kept.items()]
        self._timeline, self._settled = timeline, doubts
        self._tell(rewinds, turned)
        return rewinds

    async def kept(self, ended: Mapping[int, LastLine]) -> dict[int, int]:
        """Up to where the logs are those that ended with these lines; of those that are not."""
        lines = list(ended.values())
        asked = {"seqs": [line.seq for line in lines], "ats": [line.at for line in lines]}
        rows = await self._reads.rows(log.KEPT, rooms=list(ended), **asked)
        found = {row[0]: log.as_kept(ended[row[0]], row) for row in rows}
        return {room: kept for room, kept in found.items() if kept is not None}

    def _tell(self, found: list[Rewind], turned: bool) -> None:
        lost = sum(one.lost for one in found)
        LOST.value += lost
        if found:
            logger.error(
                "the database has gone back: %s lines of %s rooms are lost that were told; "
                "those who have them load the rooms anew",
                lost,
                len(found),
            )
        elif turned:
            logger.warning("the database goes on elsewhere; nothing that was told is lost")


def _behind(held: Mapping[int, LastLine], found: Iterable[LogEnd]) -> dict[int, LastLine]:
    """Those that end before the line that was told, or with another one in its place."""
    ends = {end.room: LastLine(end.head, end.at) for end in found}
    nowhere = LastLine(-1)
    behind = {}
    for room, line in held.items():
        end = ends.get(room, nowhere)
        if end.seq < line.seq or (end.seq == line.seq and line.at not in (None, end.at)):
            behind[room] = line
    return behind
