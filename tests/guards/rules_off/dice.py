"""How a move is drawn: mostly by the right person, of what fits, with what it takes; each part of it wrong now and
then, so that often a single rule stands in the way."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar

from hypothesis import strategies as st

T = TypeVar("T")

seeds = st.integers(0, 2**24 - 1)
"""Hypothesis draws the seed, uniformly up to 24 bits; a story is a list of moves with a number each."""


CAREFUL = 0.4
"""How often nothing is done wrong at all."""


class Dice:
    """`steady` dice always fall right, for stories that shall get somewhere."""

    def __init__(self, seed: int, steady: bool = False) -> None:
        self._random = Random(seed)
        self.steady = self._random.random() < CAREFUL or steady

    def right(self, often: float = 0.75) -> bool:
        """Whether this part of the move is as it should be."""
        return self.steady or self._random.random() < often

    def chance(self, often: float) -> bool:
        return self._random.random() < often

    def one(self, of: Sequence[T]) -> T:
        return self._random.choice(of)

    def number(self, least: int, most: int) -> int:
        return self._random.randint(least, most)
