"""A process that takes a step of the counters and stands still in the middle, its effect made and
not committed. python -m tests.messaging.followers.still ROOM"""

import os
import signal
import sys

import django

django.setup()

from messaging.followers import steps  # noqa: E402
from messaging.followers.counters import Counters  # noqa: E402


class Still(Counters):
    def follow(self, positions):
        found = super().follow(positions)
        os.kill(os.getpid(), signal.SIGSTOP)
        return found


if __name__ == "__main__":
    steps.take(Still(), [int(sys.argv[1])])
