"""Which cores are for the stores, for the workers, and for the load: apart, where there are enough.

A quarter each for stores and load, and half for workers; but from 12 cores on at least 8 workers
have a core each, for that is what the goals ask about.
"""

from collections.abc import Sequence
from dataclasses import dataclass

GOAL_CORES, GOAL_WORKERS = 12, 8


@dataclass(frozen=True)
class Split:
    stores: tuple[int, ...]
    workers: tuple[int, ...]
    load: tuple[int, ...]
    note: str = ""  # what could not be kept apart

    @property
    def is_apart(self) -> bool:
        return not self.note

    @property
    def counts(self) -> list[int]:
        """The numbers of workers to measure: 1, 2, 4 … and all there is a core for."""
        most = len(self.workers)
        return sorted({2**n for n in range(most.bit_length())} | {most})


def split(cores: Sequence[Sequence[int]], *, played: int = 0) -> Split:
    """Of these cores, each given as its hardware threads; or as if there were `played` of them,
    which is for trying out."""
    places = [cores[n % len(cores)] for n in range(played or len(cores))]
    note = ""
    if played > len(cores):
        note = f"{played} cores are played on {len(cores)}: nothing is apart, no figure counts"
    if len(places) == 1:
        all_of_it = _threads(places)
        return Split(all_of_it, all_of_it, all_of_it, "one core: stores, workers and load share it")
    if len(places) == 2:
        first, last = _threads(places[:1]), _threads(places[1:])
        return Split(first, first, last, note or "two cores: workers share theirs with the stores")
    quarter = max(1, len(places) // 4)
    if len(places) >= GOAL_CORES:
        quarter = min(quarter, (len(places) - GOAL_WORKERS) // 2)
    inner = len(places) - quarter
    parts = places[:quarter], places[quarter:inner], places[inner:]
    return Split(*map(_threads, parts), note)


def _threads(cores: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """The first of each core before the second of any: few have a core each."""
    most = max(map(len, cores))
    return tuple(core[place] for place in range(most) for core in cores if place < len(core))
