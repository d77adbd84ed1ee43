"""What the line of one member told, subscription by subscription, as it came.

A client leaves out what comes twice, and fills a hole from the log: who reads what it gives out
sees nothing of that. So lines are kept here before the client gets them.
"""

from dataclasses import dataclass, field
from typing import Any

Frame = dict[str, Any]


@dataclass
class Stream:
    """Of one subscription, which tells what comes after line `after`."""

    after: int
    lines: list[Frame] = field(default_factory=list)  # seq and cid


class Wire:
    def __init__(self) -> None:
        self.streams: list[Stream] = []
        self.reloads = 0  # how often the server could not tell what was missed
        self._asked = 0  # after which line the last subscription was to begin

    def sent(self, frame: Frame) -> None:
        if frame["type"] == "subscribe":
            self._asked = frame["after"]

    def subscribed(self, frame: Frame) -> None:
        """What this one tells again of what another has told is its right."""
        is_whole = frame["recovered"]
        self.reloads += not is_whole
        self.streams.append(Stream(self._asked if is_whole else frame["after"]))
        if (kept := frame.get("kept")) is not None:  # what it told after that is taken back
            for one in self.streams:
                one.lines = [line for line in one.lines if line["seq"] <= kept]

    def told(self, frame: Frame) -> None:
        self.streams[-1].lines.append({"seq": frame["seq"], "cid": frame.get("cid", "")})
