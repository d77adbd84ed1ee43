"""How garbage is collected in a worker that serves: often a little, and never all there is.

A full collection looks through everything that lives, and stops all threads for it: 1.4 s with
10,000 sockets, to free next to nothing. Reference counts free what is over; what is young and goes
in circles is found by the two small collections. So nothing that lives as long as a socket may
go in a circle when it is over: it would stay (tests/messaging/test_memory.py).

Requests do leave circles, by what is made of each: 2 to 36 KiB by Django and REST framework, 40 to
60 by graphql-core. One that is under way at such a look counts as old from there on, and its
circles would stay: 0.2 to 5 KiB of each request, where eight are under way at a time. So what is
old is looked through, too, but only what came since the last time: what lives then is frozen.
"""

import gc
import time

# Objects more than before, for a look at these; looks, for one at all that came since the last
# such; and of these, for a full one: after some 700 million objects, which is never. Python 3.14.0
# to 3.14.4 have two generations and look through the old one bit by bit: they ignore the last.
THRESHOLDS = 700, 10, 100_000
# Looks at up to 7,000 objects, until what is old is looked through: where no request is under way,
# and where there always is one.
LOOKS, LOOKS_BUSY = 2, 4
LONG = 0.01  # seconds: then all is frozen, and with it the circles of the requests under way


def settle() -> None:
    """What is there by now stays, and need not be looked through ever again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)


class Requests:
    """Those under way, on the event loop; and when it is time to look through what is old."""

    def __init__(self) -> None:
        self._under_way = 0
        self._since_last = 0  # that came since what is old was looked through

    def __enter__(self) -> None:
        self._under_way += 1
        self._since_last += 1

    def __exit__(self, *_raised: object) -> None:
        self._under_way -= 1
        if not self._under_way and gc.get_count()[2] >= LOOKS:
            self._look_through()

    def looked(self) -> None:
        """The collector has looked at all that is young; soon after, on the event loop."""
        if not self._since_last:
            gc.freeze()  # sockets, which make no circles
        elif gc.get_count()[2] >= LOOKS_BUSY:
            self._look_through()

    def _look_through(self) -> None:
        began = time.perf_counter()
        gc.collect()
        self._since_last = self._under_way
        if not self._under_way or time.perf_counter() - began > LONG:
            gc.freeze()


requests = Requests()
