"""A chart of a row of numbers, drawn by the server: no script, no style of its own."""

from collections.abc import Sequence
from typing import NamedTuple

WIDE, HIGH = 10, 100  # units of the chart: a bar with its gap, and the largest number


class Bar(NamedTuple):
    x: int
    y: float
    height: float


def bars(numbers: Sequence[float], most: float | None = None) -> list[Bar]:
    """`most`: what is as high as the chart; else the largest of them. What is more is cut."""
    highest = max(numbers, default=0) if most is None else most
    shares = [min(number / (highest or 1), 1.0) for number in numbers]
    heights = [round(share * HIGH, 1) for share in shares]
    return [Bar(n * WIDE, round(HIGH - height, 1), height) for n, height in enumerate(heights)]
