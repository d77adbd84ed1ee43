"""What follows the log after COMMIT: docs/followers.md tells how to add one."""

from messaging.followers.counters import Counters
from messaging.followers.follower import Follower

FOLLOWERS: list[Follower] = [Counters()]

__all__ = ["FOLLOWERS", "Follower"]
