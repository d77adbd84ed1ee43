"""The log for programs: a record, one JSON object on one line (LOG_FORMAT=json).

    {"time": "2026-11-30T12:00:00.123+00:00", "level": "WARNING", "logger": "core.breaker",
     "text": "…", "request": "5f…" or "socket": "5f…", "exception": "Traceback …"}

Its bounds are those of the other form: a line has LINE_MAX bytes at most, but for its traceback.
"""

import json
import logging
from datetime import UTC, datetime

from chattalk.server.journal import CONTROLS, LINE_MAX, TRACE_MAX, cut
from core import asking

FRAME_BYTES = 300  # of a line, for all but its text
ESCAPES = {code: text for code, text in CONTROLS.items() if chr(code) not in "\n\t"}


class JsonLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        told = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "text": "",
        }
        told |= _whose(record)
        traces = self._traces(record)
        line = _with_text(told, record.getMessage().translate(ESCAPES))
        return line if not traces else json.dumps(json.loads(line) | traces, ensure_ascii=False)

    def _traces(self, record: logging.LogRecord) -> dict[str, str]:
        found = {}
        if record.exc_info:
            found["exception"] = cut(self.formatException(record.exc_info), TRACE_MAX)
        if record.stack_info:
            found["stack"] = cut(record.stack_info, TRACE_MAX)
        return found


def _with_text(told: dict[str, str], text: str) -> str:
    """A text of quotes is twice as long in JSON; then half of it fits."""
    line = ""
    for most in (LINE_MAX - FRAME_BYTES, (LINE_MAX - FRAME_BYTES) // 2):
        line = json.dumps(told | {"text": cut(text, most)}, ensure_ascii=False)
        if len(line.encode("utf-8", "backslashreplace")) <= LINE_MAX:
            break
    return line


def _whose(record: logging.LogRecord) -> dict[str, str]:
    if named := getattr(record, "socket", ""):
        return {"socket": named}
    found = asking.now()
    return {found.kind: found.id} if found else {}


def line(logger: str, text: str) -> str:
    """What is told by no logger."""
    return JsonLine().format(logging.makeLogRecord({
        "name": logger, "msg": text, "levelname": "INFO"
    }))  # fmt: skip
