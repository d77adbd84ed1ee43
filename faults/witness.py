"""A witness of each room's seats who is none of ChatTalk.

PostgreSQL counts the members again at the very end of each transaction that changes them, and
writes down what it finds.

The count is taken under a lock that is held until the commit is done, so it is of one state after
the other, with no two at once. By then all is decided: who let in too many has done so.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from faults.run import Run

CREATE = """
CREATE TABLE IF NOT EXISTS faults_seats (
    room_id bigint, members bigint, personnel bigint, capacity bigint
);
CREATE OR REPLACE FUNCTION faults_count() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    room bigint;
BEGIN
    IF TG_TABLE_NAME = 'rooms_room' THEN room := NEW.id;
    ELSIF TG_OP = 'DELETE' THEN room := OLD.room_id;
    ELSE room := NEW.room_id;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('faults_seats', room));
    INSERT INTO faults_seats
    SELECT r.id, (SELECT count(*) FROM rooms_membership WHERE room_id = r.id), r.personnel,
           r.capacity
    FROM rooms_room r WHERE r.id = room;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER faults_count AFTER INSERT OR DELETE ON rooms_membership
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION faults_count();
CREATE CONSTRAINT TRIGGER faults_count AFTER UPDATE OF capacity ON rooms_room
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION faults_count();
"""
DROP = """
DROP TRIGGER IF EXISTS faults_count ON rooms_membership;
DROP TRIGGER IF EXISTS faults_count ON rooms_room;
"""
FOUND = """
SELECT count(*), coalesce(max(members - capacity), 0), coalesce(max(abs(members - personnel)), 0)
FROM faults_seats WHERE room_id = %s
"""


@asynccontextmanager
async def watching(run: Run, room: int) -> AsyncIterator[None]:
    """What it saw is counted at the end: too many members at any commit, or a wrong counter."""
    await asyncio.to_thread(run.site.change, DROP + CREATE)
    try:
        yield
    finally:
        await asyncio.to_thread(run.site.change, DROP)
    ((seen, over, drift),) = await asyncio.to_thread(run.site.rows, FOUND, room)
    run.counts["oversub"] += max(0, over)
    run.counts["drift"] += drift
    run.operations["watched"] += seen
