"""SockJS 1.x on a WebSocket: what its frames look like, and the texts inside.

Its client cuts a text between any two UTF-16 units, even inside a character: the halves come in two
messages, and are joined here before anything else looks at them.
"""

import json

OPEN, HEARTBEAT = "o", "h"
_HIGH = ("\ud800", "\udbff")


def message(text: str) -> str:
    return f"a{json.dumps([text], ensure_ascii=False)}"


def closing(code: int, why: str) -> str:
    return f"c{json.dumps([code, why], ensure_ascii=False)}"


class Reader:
    """Reads what one client sends: as bytes of STOMP."""

    def __init__(self) -> None:
        self._half = ""

    def read(self, text: str) -> bytes | None:
        """None if it is not SockJS."""
        try:
            texts = json.loads(text) if text else []
        except (ValueError, RecursionError):
            return None
        if isinstance(texts, str):  # it may send a single one without brackets
            texts = [texts]
        if not isinstance(texts, list) or not all(isinstance(one, str) for one in texts):
            return None
        return self._joined("".join(texts))

    def _joined(self, text: str) -> bytes:
        text, self._half = self._half + text, ""
        if text and _HIGH[0] <= text[-1] <= _HIGH[1]:
            text, self._half = text[:-1], text[-1]
        units = text.encode("utf-16-le", "surrogatepass")
        return units.decode("utf-16-le", "replace").encode()
