"""How often and how long: all times of presence in one place, since they must agree."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Timings:
    """Seconds. What is promised: away is seen within 2 s, a killed process within 30 s."""

    grace: float = 1.0  # a reload comes back within it; with gather and frame still under 2 s
    gather: float = 0.1  # changes wait so long for others, to go to Redis together
    frame: float = 0.25  # between two frames of a room: at most four a second
    crowd: float = 1.0  # between two full frames of a crowd, which are long
    gap: float = 0.3  # a change waits so long for the one before it, then the room is loaded
    beat: float = 5.0  # between two heartbeats of a process
    lease: float = 15.0  # silent for so long is dead: three beats; with one beat to notice under 30
    audit: float = 10.0  # between two comparisons with Redis and, by one process, with MongoDB
    retry: float = 1.0  # while a store is down
    farewell: float = 2.0  # stopping takes no longer


STEADY = Timings()
