"""By how much an event loop is late: what others do then may be late as well, and not lost."""

QUICKLY, SLOWLY = 0.5, 0.2  # the share of a new measurement that is worse, or better


class Lateness:
    def __init__(self) -> None:
        self.seconds = 0.0

    def measured(self, late: float) -> None:
        share = QUICKLY if late > self.seconds else SLOWLY
        self.seconds += share * (late - self.seconds)
