"""One figure of the benchmark: ours, beside a peer's where there is one, against its goal."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """`at_least` and `at_most` are of the ratio where there is a peer, else of our own value.

    The ratio is always ours : theirs, whichever of the two should be large.
    """

    goal: str  # "G7"; "" for what is measured without one
    what: str
    ours: float
    unit: str = ""
    peer: str = ""
    theirs: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return self.ours / self.theirs if self.theirs else None

    @property
    def aim(self) -> str:
        if self.at_most == 0:
            return "none"
        suffix = "×" if self.theirs is not None else f" {self.unit}".rstrip()
        bounds = [f"≥ {self.at_least:,g}{suffix}"] if self.at_least is not None else []
        bounds += [f"≤ {self.at_most:,g}{suffix}"] if self.at_most is not None else []
        return ", ".join(bounds)

    @property
    def met(self) -> bool | None:
        """None where there is no goal."""
        if self.at_least is None and self.at_most is None:
            return None
        value = self.ours if self.theirs is None else self.ratio
        if value is None:  # of nothing: any ratio is too large
            return self.at_most is None
        return (self.at_least is None or value >= self.at_least) and (
            self.at_most is None or value <= self.at_most
        )

    def as_dict(self) -> dict[str, Any]:
        return {
            "goal": self.goal,
            "what": self.what,
            "ours": self.ours,
            "unit": self.unit,
            "peer": self.peer,
            "theirs": self.theirs,
            "ratio": self.ratio,
            "at_least": self.at_least,
            "at_most": self.at_most,
            "aim": self.aim,
            "met": self.met,
            "note": self.note,
        }


def figure(fields: "Figure | Mapping[str, Any]") -> Figure:
    """Back from `as_dict`; what is computed is computed again."""
    if isinstance(fields, Figure):
        return fields
    known = Figure.__dataclass_fields__
    return Figure(**{name: value for name, value in fields.items() if name in known})
