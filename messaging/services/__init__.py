"""What people do in rooms. Every door (page, socket, API, command) calls these.

Refusals are PermissionDenied and ValidationError with a `code` of docs/wire.md.
"""

from messaging.services.export import export_log
from messaging.services.members import ajoin, join, leave, remove
from messaging.services.messages import apost, participants, post, submit
from messaging.services.reads import mark_read, member_state
from messaging.services.rooms import (
    close_room,
    edit_room,
    open_room,
    reopen_room,
    transfer_room,
)

__all__ = [
    "ajoin",
    "apost",
    "close_room",
    "edit_room",
    "export_log",
    "join",
    "leave",
    "mark_read",
    "open_room",
    "participants",
    "post",
    "remove",
    "reopen_room",
    "member_state",
    "submit",
    "transfer_room",
]
