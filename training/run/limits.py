"""Which values a setting may have, said once: it is checked before any data are read, and told with the value that is wrong."""

from __future__ import annotations

import math
from dataclasses import dataclass

Value = str | int | float


@dataclass(frozen=True)
class Between:
    """Numbers from ``least`` to ``most``; ``inside``: those between them alone; ``below``: ``most`` itself is none of them.

    >>> str(Between(1, 10_000)), str(Between(0.0, 1.0, inside=True)), str(Between(0.0, 1.0, below=True))
    ('a whole number from 1 to 10,000', 'a number between 0 and 1', 'a number from 0 up to, not including, 1')
    >>> Between(0.0, 1.0).allows(float("nan")), Between(0.0, 1.0, inside=True).allows(0.0)
    (False, False)
    """

    least: float
    most: float
    inside: bool = False
    below: bool = False

    def allows(self, value: Value) -> bool:
        """Whether a value is one of them."""
        if isinstance(value, str) or not math.isfinite(value):
            return False
        upper = value < self.most if self.inside or self.below else value <= self.most
        return upper and (self.least < value if self.inside else self.least <= value)

    def __str__(self) -> str:
        kind = "a whole number" if isinstance(self.least, int) else "a number"
        if self.inside:
            return f"{kind} between {_written(self.least)} and {_written(self.most)}"
        return f"{kind} from {_written(self.least)} {'up to, not including,' if self.below else 'to'} {_written(self.most)}"


@dataclass(frozen=True)
class OneOf:
    """Some values.

    >>> str(OneOf(1, 2, 6)), OneOf("adam", "sgd").allows("best")
    ('one of 1, 2, 6', False)
    """

    values: tuple[Value, ...]

    def __init__(self, *values: Value) -> None:
        object.__setattr__(self, "values", values)

    def allows(self, value: Value) -> bool:
        """Whether a value is one of them."""
        return value in self.values

    def __str__(self) -> str:
        return f"one of {', '.join(map(str, self.values))}"


Limit = Between | OneOf
SHARE = Between(0.0, 1.0, inside=True)
"""Of examples that are held out: some must be left on both sides."""


def positive(most: float) -> Between:
    """Numbers above 0, however small."""
    return Between(0.0, most, inside=True)


def _written(number: float) -> str:
    return f"{number:,.0f}" if float(number).is_integer() else f"{number:,g}"


__all__ = ["SHARE", "Between", "Limit", "OneOf", "positive"]
