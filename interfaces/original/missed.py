"""What someone missed in a room, for the original's page, which tells no positions.

GET read answers what came after the member's read position, and notes how far it has looked; the
SUBSCRIBE that follows a moment later goes on after that, so nothing falls between the two. Where
SUBSCRIBE is the quicker, it brings everything, and the GET that comes then brings nothing. The read
position follows what the page's socket was given (chat.py), and ends where nobody
looks any more.

More than one page of a person may come at the same time, and nothing tells which SUBSCRIBE belongs
to which answer: then the oldest note counts. A line may be shown twice, but none is lost.
"""

from typing import NamedTuple
from uuid import UUID, uuid4

from interfaces.original import visits
from interfaces.original.notes import PREFIX, ask, at_once
from messaging import log, services
from messaging.log.event import PAGE_BYTES, Event
from rooms.models import Room

UNREAD_MAX = 500  # lines in one answer: the newest
UNREAD_BYTES = PAGE_BYTES  # as far as the line that reaches this
NOTE_SECONDS = 20  # from the answer to the subscription
QUICKER_SECONDS = 5  # a GET read may come so long after the SUBSCRIBE of its page


class Missed(NamedTuple):
    """What came while someone was away, oldest first, and before which line older ones are left."""

    events: list[Event]
    before: int | None = None


def unread(room_id: int, user_id: int, device: UUID, at: int) -> Missed:
    """The newest of what came while this member was away; nothing for who has no seat.

    Raises Room.DoesNotExist.
    """
    state = log.member_state(room_id, user_id)
    if state is None:
        Room.objects.only("pk").get(pk=room_id)
        ask(lambda redis: redis.delete(_told(room_id, user_id)))  # of a seat that was given back
    if ask(lambda redis: redis.getdel(_quicker(room_id, user_id))):
        visits.begin(room_id, device, at, sockets=())
        return Missed([])
    visits.begin(room_id, device, at)
    if state is None:
        return Missed([])
    page, last = _after(state, room_id, user_id, None)
    note(room_id, user_id, last)
    return page


def older(room_id: int, user_id: int, before: int) -> Missed:
    """What came before the first line of such an answer. To ask for it is no visit."""
    state = log.member_state(room_id, user_id)
    return _after(state, room_id, user_id, before)[0] if state else Missed([])


def _after(
    state: log.MemberState, room_id: int, user_id: int, before: int | None
) -> tuple[Missed, int]:
    """What this member has not read, up to the end or to the line `before`; and how far that is."""
    if state.head <= state.read_seq:
        return Missed([]), state.head
    found, more = log.page(room_id, before=before, after=None, limit=UNREAD_MAX, most=UNREAD_BYTES)
    events = [one for one in found if one.seq > state.read_seq]
    if not events:
        return Missed([]), state.head
    first, last = events[0].seq, events[-1].seq
    is_cut = more and len(events) == len(found) and first > state.read_seq + 1
    kept = [one for one in events if one.sender.id != user_id]  # nobody misses what they did
    return Missed(kept, first if is_cut else None), last


def note(room_id: int, user_id: int, seq: int) -> None:
    """This person was told of what came up to `seq`, and is about to subscribe."""
    key = _told(room_id, user_id)
    ask(
        lambda redis: (
            at_once(redis).zadd(key, {uuid4().hex: seq}).expire(key, NOTE_SECONDS).execute()
        )
    )


def noted(room_id: int, user_id: int) -> int | None:
    """The oldest note; each is good for one subscription, and of several the newest goes first.

    None without one: nothing was asked before, or Redis does not answer. Then the caller begins at
    the read position.
    """
    key = _told(room_id, user_id)
    found = ask(
        lambda redis: at_once(redis).zrange(key, 0, 0, withscores=True).zpopmax(key).execute()
    )
    if found and found[0]:
        return int(found[0][0][1])
    ask(lambda redis: redis.set(_quicker(room_id, user_id), 1, ex=QUICKER_SECONDS))
    return None


def go_away(room_id: int, user_id: int, device: UUID, at: int) -> None:
    """PUT read: the page has gone, and has shown everything. Raises PermissionDenied (no member).

    Of one visit the first counts; not even that, where its socket or the list said so a moment ago:
    what came since was not shown.
    """
    head = services.member_state(room_id, user_id).head
    if visits.put(room_id, user_id, device, at):
        services.mark_read(room_id, user_id, head)


def socket_goes(room_id: int, user_id: int, device: UUID) -> int:
    """A page's socket has ended. Since when nobody looks at it (µs since 1970); 0 if until now."""
    ask(lambda redis: redis.delete(_quicker(room_id, user_id)))
    return visits.closes(room_id, device)


def _told(room_id: int, user_id: int) -> str:
    return f"{PREFIX}:told:{room_id}:{user_id}"


def _quicker(room_id: int, user_id: int) -> str:
    return f"{PREFIX}:quicker:{room_id}:{user_id}"
