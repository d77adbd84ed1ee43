"""The answers of docs/wire.md by the names of their fields, as STOMP's headers want them."""

from typing import Any

import msgspec

from messaging.live.frames import ServerFrame


def by_name(frame: ServerFrame) -> dict[str, Any]:
    """Its `type`, and the fields that are known."""
    known = {
        name: value for name, value in msgspec.structs.asdict(frame).items() if value is not None
    }
    return {"type": type(frame).__struct_config__.tag, **known}
