"""What is limited, and by which settings (chattalk/settings.py)."""

from typing import NamedTuple

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute


class Window(NamedTuple):
    """Counted over all processes: so many in each minute, or hour."""

    kind: type[RateLimitItem]
    setting: str


class Flow(NamedTuple):
    """Counted in each process: so many a second in the long run, and so many at once."""

    rate: str
    burst: str


OVER_PROCESSES = {
    "person": Window(RateLimitItemPerMinute, "API_RATE"),
    "address": Window(RateLimitItemPerMinute, "API_RATE_NOBODY"),
    "device": Window(RateLimitItemPerMinute, "API_RATE_NOBODY"),  # who shows a token of it
    "page": Window(RateLimitItemPerMinute, "PAGE_RATE"),  # per person
    "page_nobody": Window(RateLimitItemPerMinute, "PAGE_RATE_NOBODY"),  # per address
    "sign_in": Window(RateLimitItemPerMinute, "SIGN_IN_RATE"),  # per address
    "sign_up": Window(RateLimitItemPerHour, "SIGN_UP_RATE"),  # per address
    "password": Window(RateLimitItemPerHour, "PASSWORD_RATE"),  # per person
    "join": Window(RateLimitItemPerMinute, "JOIN_RATE"),  # per person
    "open_room": Window(RateLimitItemPerHour, "ROOM_RATE"),  # per person
}
IN_PROCESS = {
    "message": Flow("MESSAGE_RATE", "MESSAGE_BURST"),  # per person and room
    "person_message": Flow("PERSON_MESSAGE_RATE", "PERSON_MESSAGE_BURST"),  # over all rooms
    "frame": Flow("FRAME_RATE", "FRAME_BURST"),  # per socket
}
