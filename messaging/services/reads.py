"""How far a member has read."""

from messaging import log
from messaging.live import announce
from rooms.services import NotMember


def member_state(room_id: int, user_id: int) -> log.MemberState:
    """How a member stands in the room. Raises NotMember."""
    if (found := log.member_state(room_id, user_id)) is None:
        raise NotMember
    return found


def mark_read(room_id: int, user_id: int, seq: int) -> int:
    """Move the read position forward, never back or past the end; says where it is then.

    Raises NotMember.
    """
    position = log.read(room_id, user_id, seq)
    if position is None:
        raise NotMember
    announce.read_on_commit(user_id, room_id, position)
    return position
