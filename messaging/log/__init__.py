"""The only hand-written SQL. Each statement names the index it lives on.

Reads come in two forms with the same text: for pages and APIs on Django's connection, and for
sockets on an async one (`core/postgresql/reads.py`).
"""

from . import allowance, old
from .follow import FOLLOW, NextLines, follow
from .insert import ACTIVITY_SECONDS, APPEND, FREE, POST, POST_AGAIN, append, post_params
from .members import MEMBERS
from .pages import (
    AFTER,
    BEFORE,
    COUNT_MISSED,
    MISSED,
    SEQ_MAX,
    SIZED_AFTER,
    SIZED_BEFORE,
    SIZED_MISSED,
    count_missed,
    missed,
    page,
    pages,
)
from .positions import (
    ABOUT,
    MEMBER_STATE,
    MEMBER_STATES,
    MY_HEADS,
    MY_UNREAD,
    READ,
    UNREAD,
    UNREAD_MAX,
    Head,
    MemberState,
    UnreadRoom,
    as_member_state,
    as_member_states,
    member_state,
    my_unread,
    read,
    unread,
)
from .prune import PRUNE, prune
from .relay import LINES, NextRows, heads, heads_lately, next_rows
from .rewinds import KEPT, LOOK, LastLine, LogEnd, as_kept
from .rows import CLOCK, as_event, rows

__all__ = ["allowance", "old"]
__all__ += ["FOLLOW", "NextLines", "follow"]
__all__ += ["MEMBERS"]
__all__ += ["ABOUT", "MEMBER_STATE", "MEMBER_STATES", "MY_HEADS", "MY_UNREAD", "READ"]
__all__ += ["UNREAD", "UNREAD_MAX", "Head", "MemberState", "UnreadRoom", "as_member_state"]
__all__ += ["as_member_states"]
__all__ += ["member_state", "my_unread", "read", "unread"]
__all__ += ["ACTIVITY_SECONDS", "APPEND", "FREE", "POST", "POST_AGAIN"]
__all__ += ["append", "post_params"]
__all__ += ["PRUNE", "prune"]
__all__ += ["LINES", "NextRows", "heads", "heads_lately", "next_rows"]
__all__ += ["KEPT", "LOOK", "LastLine", "LogEnd", "as_kept"]
__all__ += ["AFTER", "BEFORE", "COUNT_MISSED", "MISSED", "SEQ_MAX"]
__all__ += ["SIZED_AFTER", "SIZED_BEFORE", "SIZED_MISSED"]
__all__ += ["count_missed", "missed", "page", "pages"]
__all__ += ["CLOCK", "as_event", "rows"]
