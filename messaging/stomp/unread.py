"""What someone missed in a room, for the original's page, which tells no positions.

GET read answers what came after the member's read position, and notes how far it has looked; the
SUBSCRIBE that follows a moment later goes on after that, so nothing falls between the two. Where
SUBSCRIBE is the quicker, it brings everything, and the GET that comes then brings nothing. The read
position follows what the page's socket was given (subscribers.py), and ends where it goes away.

More than one page of a person may come at the same time, and nothing tells which SUBSCRIBE belongs
to which answer: then the oldest note counts. A line may be shown twice, but none is lost.
"""

import logging
from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import uuid4

from django_redis import get_redis_connection
from redis.exceptions import RedisError

from messaging import queries, services
from messaging.queries import SEQ_MAX
from messaging.wire import PAGE_BYTES, Event
from rooms.models import Room

log = logging.getLogger(__name__)

UNREAD_MAX = 500  # lines in one answer: the newest
UNREAD_BYTES = PAGE_BYTES  # as far as the line that reaches this
NOTE_SECONDS = 20  # from the answer to the subscription
QUICKER_SECONDS = 5  # a GET read may come so long after the SUBSCRIBE of its page
GONE_SECONDS = 3600  # a PUT read may come so long after its page's socket; a new visit ends it


class Page(NamedTuple):
    """Lines of what came while someone was away, oldest first, and whether older ones are left."""

    events: list[Event]
    more: bool = False


def unread(room_id: int, user_id: int) -> Page:
    """The newest of what came while this member was away; nothing for who has no seat.

    Raises Room.DoesNotExist.
    """
    standing = queries.standing(room_id, user_id)
    if standing is None:
        Room.objects.only("pk").get(pk=room_id)
        _ask(lambda redis: redis.delete(_told(room_id, user_id)))  # of a seat that was given back
        return Page([])
    _ask(lambda redis: redis.delete(_gone(room_id, user_id)))  # a new visit
    if _ask(lambda redis: redis.getdel(_quicker(room_id, user_id))):
        return Page([])
    page = _after(standing, room_id, None)
    note(room_id, user_id, page.events[-1].seq if page.events else standing.head)
    return page


def older(room_id: int, user_id: int, before: int) -> Page:
    """What came before the first line of such a page. To ask for it is no visit."""
    standing = queries.standing(room_id, user_id)
    return _after(standing, room_id, before) if standing else Page([])


def _after(standing: queries.Standing, room_id: int, before: int | None) -> Page:
    """What this member has not read, up to the end or to the line `before`."""
    if standing.head <= standing.read_seq:
        return Page([])
    found, more = queries.page(
        room_id, before=before, after=None, limit=UNREAD_MAX, most=UNREAD_BYTES
    )
    events = [one for one in found if one.seq > standing.read_seq]
    return Page(
        events, more and len(events) == len(found) and events[0].seq > standing.read_seq + 1
    )


def note(room_id: int, user_id: int, seq: int) -> None:
    """This person was told of what came up to `seq`, and is about to subscribe."""
    key = _told(room_id, user_id)
    _ask(
        lambda redis: (
            redis.pipeline().zadd(key, {uuid4().hex: seq}).expire(key, NOTE_SECONDS).execute()
        )
    )


def noted(room_id: int, user_id: int) -> int | None:
    """The oldest note; each is good for one subscription, and of several the newest goes first.

    None without one: nothing was asked before, or Redis does not answer. Then the caller begins at
    the read position.
    """
    key = _told(room_id, user_id)
    found = _ask(
        lambda redis: redis.pipeline().zrange(key, 0, 0, withscores=True).zpopmax(key).execute()
    )
    if found and found[0]:
        return int(found[0][0][1])
    _ask(lambda redis: redis.set(_quicker(room_id, user_id), 1, ex=QUICKER_SECONDS))
    return None


def go_away(room_id: int, user_id: int) -> None:
    """PUT read: the page has gone, and has shown everything. Raises PermissionDenied (no member).

    Where its socket went a moment ago, that is what counts: what came since was not shown.
    """
    socket_has_gone = _ask(lambda redis: redis.exists(_gone(room_id, user_id)))
    services.mark_read(room_id, user_id, 0 if socket_has_gone else SEQ_MAX)


def note_gone(room_id: int, user_id: int) -> None:
    """The page's socket has gone, and the read position is where it was given the last line."""
    quicker, gone = _quicker(room_id, user_id), _gone(room_id, user_id)
    _ask(lambda redis: redis.pipeline().delete(quicker).set(gone, 1, ex=GONE_SECONDS).execute())


def _ask(what: Callable[[Any], Any]) -> Any:
    """None while Redis does not answer."""
    try:
        return what(get_redis_connection("default"))
    except (RedisError, OSError) as error:
        log.info("the original's page goes on without a note: %s", error)
        return None


def _told(room_id: int, user_id: int) -> str:
    return f"chattalk:original:told:{room_id}:{user_id}"


def _gone(room_id: int, user_id: int) -> str:
    return f"chattalk:original:gone:{room_id}:{user_id}"


def _quicker(room_id: int, user_id: int) -> str:
    return f"chattalk:original:quicker:{room_id}:{user_id}"
