"""How garbage is collected in a worker that serves: often a little, and never all there is.

A full collection looks through everything that lives, and stops all threads for it: 1.4 s with
10,000 sockets, to free next to nothing. Reference counts free what is over; what is young and goes
in circles is found by the two small collections. So nothing that lives as long as a socket may
go in a circle when it is over: it would stay (tests/messaging/test_memory.py).
"""

import gc

# Objects more than before, for a look at these; looks, for one at all that came since the last
# such; and of these, for a full one: after some 700 million objects, which is never. Python 3.14.0
# to 3.14.4 have two generations and look through the old one bit by bit: they ignore the last.
THRESHOLDS = 700, 10, 100_000


def settle() -> None:
    """What is there by now stays, and need not be looked through ever again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
