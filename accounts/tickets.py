"""Tickets: a word that opens one socket, once, within TICKET_SECONDS of asking for it.

For clients that can't send a header with a WebSocket, as browsers at other sites; a token would
live on in the logs of whatever stands between.
"""

import hashlib
import secrets
from uuid import UUID

from accounts import token_cache, tokens
from accounts.tokens import Identity, NotValid

SECONDS = token_cache.TICKET_SECONDS


def issue(identity: Identity) -> str:
    """For the caller's device. Raises token_cache.Down."""
    ticket = secrets.token_urlsafe(32)
    token_cache.put_ticket(_digest(ticket), identity.device_id.hex)
    return ticket


def redeem(ticket: str) -> Identity:
    """The ticket's person and device; it works once. Raises NotValid, token_cache.Down."""
    device_id = token_cache.take_ticket(_digest(ticket))
    if device_id is None:
        raise NotValid
    return tokens.of_device(UUID(device_id))


def _digest(ticket: str) -> str:
    return hashlib.sha256(ticket.encode(errors="replace")).hexdigest()
