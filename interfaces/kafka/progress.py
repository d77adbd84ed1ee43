"""How far the relay is, in plain numbers: for its own log, and for whoever exports them."""

import time
from dataclasses import dataclass, field


@dataclass
class Progress:
    """Written by the relay's thread, read by any."""

    lines: int = 0  # that this process has relayed
    missed: int = 0  # that were pruned before they were relayed; since the topic began
    heads: dict[int, int] = field(default_factory=dict)  # of rooms in which there is more
    stopped: dict[int, str] = field(default_factory=dict)  # room → why it is relayed no further
    lag_lines: int = 0  # that are not relayed yet, as far as is known
    caught_up_at: float = field(default_factory=time.monotonic)

    @property
    def lag_seconds(self) -> float:
        """For how long there has been something that is not relayed."""
        return time.monotonic() - self.caught_up_at if self.lag_lines else 0.0

    @property
    def rooms_stopped(self) -> int:
        return len(self.stopped)

    def look(self, seqs: "dict[int, int]") -> None:
        """`seqs`: how far the rooms are that are behind."""
        self.lag_lines = sum(head - seqs[room] for room, head in self.heads.items())
        if not self.lag_lines:
            self.caught_up_at = time.monotonic()
