"""Bytes that are nearly what a decoder expects: valid ones, with a few mistakes in them."""

import random
from collections.abc import Callable, Sequence

LONGEST = 4_096  # bytes; what grows over it is cut


class Mutator:
    """Endless, and the same again from the same seed. `tokens` are what the format is made of."""

    def __init__(self, seed: int, valid: Sequence[bytes], tokens: Sequence[bytes]) -> None:
        self._random = random.Random(seed)
        self._valid, self._tokens = list(valid), list(tokens)
        self._ways: list[Callable[[bytearray], None]] = [
            self._flip, self._byte, self._cut, self._repeat, self._token, self._token, self._splice,
        ]  # fmt: skip

    def __next__(self) -> bytes:
        data = bytearray(self._random.choice(self._valid))
        for _ in range(self._random.randrange(1, 5)):
            self._random.choice(self._ways)(data)
        return bytes(data[:LONGEST])

    def pieces(self, data: bytes) -> list[bytes]:
        """The same bytes, as a network may bring them."""
        places = sorted(self._random.randrange(len(data) + 1) for _ in range(3))
        ends = [0, *places, len(data)]
        return [data[start:end] for start, end in zip(ends, ends[1:], strict=False)]

    def _place(self, data: bytearray) -> int:
        return self._random.randrange(len(data) + 1)

    def _flip(self, data: bytearray) -> None:
        if data:
            data[self._random.randrange(len(data))] ^= 1 << self._random.randrange(8)

    def _byte(self, data: bytearray) -> None:
        data.insert(self._place(data), self._random.randrange(256))

    def _cut(self, data: bytearray) -> None:
        first, second = sorted((self._place(data), self._place(data)))
        del data[first : min(second, first + 64)]

    def _repeat(self, data: bytearray) -> None:
        first = self._place(data)
        data[first:first] = data[first : first + self._random.randrange(32)] * 3

    def _token(self, data: bytearray) -> None:
        place = self._place(data)
        data[place : place + self._random.randrange(8)] = self._random.choice(self._tokens)

    def _splice(self, data: bytearray) -> None:
        other = self._random.choice(self._valid)
        data[self._place(data) :] = other[self._random.randrange(len(other) + 1) :]
