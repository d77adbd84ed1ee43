"""Whether anybody looks at a page of the original's.

It does not say when its person leaves by the browser's Back: the room's sockets stay open, and
take lines that nobody sees. But the list, where they arrive, asks for all rooms; and "Go to list"
says PUT read, before or after its sockets close. From either on, nobody looks at what the same
sign-in opened before: it gets its lines, marks none as read and keeps nobody present. A later visit
begins with GET read. Other browsers of the person are other sign-ins; two tabs of one are not told
apart, so who speaks by a socket is taken to look at it.

It is kept in Redis, for who comes late, and told over the layer, so that it is seen at once.
Without Redis only the sockets of the process that was asked know.
"""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.http import HttpRequest

from interfaces.original import open_pages
from interfaces.original.notes import PREFIX, ask, at_once
from messaging.live import node
from presence.room_state import now_micros as now

KEPT_SECONDS = 24 * 3600  # a page that is open for longer says all the same what it was given
SOCKETS = ("chat", "people")  # of a room's page
# Of times: µs since 1970, of this machine's clock.


def asked_at(request: HttpRequest) -> int:
    """When it came; as chattalk/asgi.py noted it, if that is what serves."""
    scope: dict[str, Any] = getattr(request, "scope", {})
    return int(scope.get("asked_at") or now())


def begin(room_id: int, device: UUID, at: int, sockets: Collection[str] = SOCKETS) -> None:
    """GET read: a page of the room is opened, and its sockets come soon."""
    key, fields = _page(room_id, device), dict.fromkeys(("begun", *sockets), at)
    ask(lambda redis: at_once(redis).hset(key, mapping=fields).expire(key, KEPT_SECONDS).execute())


def opens(room_id: int, device: UUID, socket: str) -> tuple[int, int]:
    """A socket of a page subscribes. Answers when the page began, and since when nobody looks at
    what this sign-in has in the room; 0 for each that is not known."""
    key = _page(room_id, device)
    found = ask(
        lambda redis: (
            at_once(redis)
            .hget(key, socket)
            .hdel(key, socket)
            .hget(key, "put")
            .get(_list(device))
            .execute()
        )
    )
    begun, _taken, put, listed = found or (0, 0, 0, 0)
    return int(begun or 0), max(int(put or 0), int(listed or 0))


def left_at(room_id: int, device: UUID) -> int:
    """Since when nobody looks at what was opened before; 0 if that is not known."""
    found = ask(
        lambda redis: (
            at_once(redis).hget(_page(room_id, device), "put").get(_list(device)).execute()
        )
    )
    return max(int(one or 0) for one in found) if found else 0


def closes(room_id: int, device: UUID) -> int:
    """A page's socket goes: a PUT read that follows has nothing to add. Answers as `left_at`."""
    key, at = _page(room_id, device), now()
    ask(lambda redis: at_once(redis).hset(key, "gone", at).expire(key, KEPT_SECONDS).execute())
    return left_at(room_id, device)


def list_shown(user_id: int, device: UUID, at: int) -> None:
    """GET of all rooms: no room's page is looked at."""
    ask(lambda redis: redis.set(_list(device), at, ex=KEPT_SECONDS))
    _tell(user_id, device, None, at)


def put(room_id: int, user_id: int, device: UUID, at: int) -> bool:
    """PUT read: the room's page is not looked at. True if it was until now, as far as is known."""
    key = _page(room_id, device)
    found = ask(
        lambda redis: (
            at_once(redis)
            .hmget(key, "begun", "put", "gone")
            .get(_list(device))
            .hset(key, "put", at)
            .expire(key, KEPT_SECONDS)
            .execute()
        )
    )
    _tell(user_id, device, room_id, at)
    if not found:
        return False
    begun, *ends = (int(one or 0) for one in (*found[0], found[1]))
    if not begun:  # no visit that is known: it has not ended either, unless that was said
        return not any(ends[:2])
    return begun > max(ends)


def _tell(user_id: int, device: UUID, room_id: int | None, at: int) -> None:
    def tell() -> None:
        open_pages.current().tell_away(user_id, device, room_id, at)

    if (running := node.running()) is not None:
        running.loop.call_soon_threadsafe(tell)


def _page(room_id: int, device: UUID) -> str:
    """Tagged by the device, as its list is: they are read together."""
    return f"{PREFIX}:{{{device.hex}}}:page:{room_id}"


def _list(device: UUID) -> str:
    return f"{PREFIX}:{{{device.hex}}}:list"
