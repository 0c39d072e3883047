"""Dots in a sum or a product, as the sum or product over time that they stand for: ``J_t J_{t-1} \\cdots J_{k+1}`` is the product of J_j
for j from k+1 to t with the last one on the left.

They are read where what stands around them says it all: the same terms, but for times that go up or down by one. All else stays unread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from sympy import Expr, Integer

from derive.notation import surface as s
from derive.notation.rebuild import rebuilt
from derive.notation.references import ReferenceReader
from derive.system import T

LETTERS = ("j", "i", "s", "r", "q", "l", "m")
"""Letters for the time of the sum or product; the first that does not occur."""
MOST_FACTORS = 4
"""So many factors of a product may belong to one time."""

_DOTS = s.Mark("dots")
_Pair = tuple[s.Surface, s.Surface]


class _Unlike(Exception):
    """Two terms differ by more than their times."""


def without_dots(surface: s.Surface, reader: ReferenceReader) -> s.Surface:
    """A formula in which sums and products with dots are written with ∑ and ∏, where they can be.

    >>> from derive.notation.parser import parse_one
    >>> from derive.notation.scope import Scope
    >>> from derive.notation.write_plain import write_plain
    >>> reader = ReferenceReader(Scope())
    >>> for text in ("J_t J_{t-1} \\\\cdots J_{k+1}", "a_1 + a_2 + \\\\dots + a_T", "a_1 + \\\\dots + b_T"):
    ...     print(write_plain(without_dots(parse_one(text).items[0], reader)))
    prod_{j=k+1}^{t} J_j
    sum_{j=1}^{T} a_j
    a_1 + … + b_T
    """
    if not any(node == _DOTS for node in surface.walk()):
        return surface
    letters = {node.text for node in surface.walk() if isinstance(node, s.Name)}
    letter = next((one for one in LETTERS if one not in letters), None)
    if letter is None:
        return surface
    return rebuilt(surface, lambda node: _written(node, letter, reader))


def _written(node: s.Surface, letter: str, reader: ReferenceReader) -> s.Surface:
    """A sum or a product with dots among its own parts, without them; any other node as it is."""
    if isinstance(node, s.Sum) and node.items.count(_DOTS) == 1:
        at = node.items.index(_DOTS)
        found = _progression(node.items, reader, most=1)
        signs = {*node.signs[found.first : found.end]} if found is not None else set()
        if found is None or signs != {1}:
            return node
        items = (*node.items[: found.first], found.big("sum", letter), *node.items[found.end :])
        kept = (*node.signs[: found.first], 1, *node.signs[found.end :])
        return items[0] if len(items) == 1 and at else replace(node, signs=kept, items=items)
    factors = _factors(node)
    if factors.count(_DOTS) != 1:
        return node
    ways = ((way, _progression(way, reader, most=MOST_FACTORS)) for way in _once(factors))
    factors, found = next(((way, found) for way, found in ways if found is not None), (factors, None))
    if found is None:
        return node
    big = found.big("prod", letter)
    if found.first == 0 and found.end == len(factors):
        return big
    product = (*factors[: found.first], s.Bracket("(", (big,), span=big.span), *factors[found.end :])
    return s.Sequence(product, span=node.span)


def _once(factors: tuple[s.Surface, ...]) -> Iterator[tuple[s.Surface, ...]]:
    """The factors; and where the dots stand between equal ones, as in A_t W ... W A_1, with the one or the other of them alone."""
    yield factors
    at = factors.index(_DOTS)
    if 0 < at < len(factors) - 1 and factors[at - 1] == factors[at + 1]:
        yield (*factors[: at + 1], *factors[at + 2 :])
        yield (*factors[: at - 1], *factors[at:])


def _factors(node: s.Surface) -> tuple[s.Surface, ...]:
    """The factors of a product, of which some may have a dot between them."""
    if isinstance(node, s.Sequence):
        return node.items
    if isinstance(node, s.Infix) and {*node.operators} == {"cdot"}:
        return tuple(factor for item in node.items for factor in (_factors(item) or (item,)))
    return ()


@dataclass(frozen=True)
class _Progression:
    """The part of a sum or product that the dots go on with: from ``first`` to before ``end``, with the terms at its two ends, and whether
    the times go up.
    """

    first: int
    end: int
    left: s.Surface
    right: s.Surface
    rises: bool
    reader: ReferenceReader

    def big(self, kind: str, letter: str) -> s.Big:
        """The whole of it as ∑ or ∏. A product has its last factor on the left, where nothing is said of it."""
        from_, to = _differences(self.left, self.right, self.reader)[0]
        low, high = (from_, to) if self.rises else (to, from_)
        name = s.Name(letter)
        now: s.Surface = name if kind == "sum" or not self.rises else s.Sum((1, 1, -1), (low, high, name))
        start = self.reader.index(from_)

        def moved(there: s.Surface, _: s.Surface) -> s.Surface:
            away = int(self.reader.index(there) - start)
            if not away:
                return now
            far = s.Number(str(abs(away)))
            inner = now.items if isinstance(now, s.Sum) else (now,)
            signs = now.signs if isinstance(now, s.Sum) else (1,)
            return s.Sum((*signs, 1 if away > 0 else -1), (*inner, far))

        body = _together(self.left, self.right, self.reader, moved)
        first, last = self.left.span, self.right.span
        span = first.to(last) if first is not None and last is not None else first
        return s.Big(kind, s.Relation(("=",), (name, low)), high, body, span=span)


def _progression(items: Sequence[s.Surface], reader: ReferenceReader, most: int) -> _Progression | None:
    """What the dots among some items go on with. Of B_1 A B_1 ... B_T A B_T it is three factors a time, though B_1 ... B_T alone would do
    as well; and what several terms in a row say of the order goes before what the two ends say.
    """
    lengths = range(min(most, (len(items) - 1) // 2), 0, -1)
    found = [_Dots(items, many, reader) for many in lengths]
    fitting = [one for one in found if one.fits()]
    for one in (*(one for one in fitting if one.steps), *fitting):
        return one.progression()
    return None


class _Dots:
    """The terms around the dots, with so many factors a time, and the steps from one to the next."""

    def __init__(self, items: Sequence[s.Surface], many: int, reader: ReferenceReader) -> None:
        self.items, self.many, self.reader = items, many, reader
        at = list(items).index(_DOTS)
        self.first, self.end = at - many, at + 1 + many
        self.steps: set[int] = set()
        if self.fits():
            self._extend()

    def _part(self, start: int) -> s.Surface:
        """The factors of one time from a place on; dots where there are not enough."""
        return _term(self.items[start : start + self.many]) if 0 <= start <= len(self.items) - self.many else _DOTS

    @property
    def left(self) -> s.Surface:
        return self._part(self.first)

    @property
    def right(self) -> s.Surface:
        return self._part(self.end - self.many)

    def fits(self) -> bool:
        """Whether the terms beside the dots are alike but for their times."""
        return _same_distance(self.left, self.right, self.reader)

    def _extend(self) -> None:
        """Take in the terms before and behind that are one step away."""
        while step := _step(self._part(self.first - self.many), self.left, self.reader):
            self.first -= self.many
            self.steps.add(step)
        while step := _step(self.right, self._part(self.end), self.reader):
            self.end += self.many
            self.steps.add(step)
        last = self.many - 1  # D_t W D_{t-1} ... W D_1: of the term before, a part stands there
        if not self.steps and last and self.first >= last:
            before = _term(self.items[self.first - last : self.first])
            self.steps |= {_step(before, _term(self.items[self.first + 1 : self.first + self.many]), self.reader)} - {0}

    def progression(self) -> _Progression | None:
        """The sum or product, if its order is clear."""
        left, right, reader = self.left, self.right, self.reader
        beside = (self._part(self.first - self.many), self._part(self.end))
        if any(_distances(one, left, reader) for one in beside) or not _distances(left, right, reader):
            return None  # such as a_1 + a_3 + ... + a_T
        steps = self.steps or _told_by_ends(left, right, reader)
        away = next(iter(_distances(left, right, reader)))
        if len(steps) != 1 or (away.is_Integer and away * next(iter(steps)) < 0):
            return None
        return _Progression(self.first, self.end, left, right, steps == {1}, reader)


def _term(items: Sequence[s.Surface]) -> s.Surface:
    """The factors of one time."""
    span = items[0].span.to(items[-1].span) if items[0].span is not None and items[-1].span is not None else None
    return items[0] if len(items) == 1 else s.Sequence(tuple(items), span=span)


def _distances(a: s.Surface, b: s.Surface, reader: ReferenceReader) -> set[Expr]:
    """By how much the times of b are later than those of a, where the two are alike but for them."""
    try:
        return {(reader.index(there) - reader.index(here)).expand() for here, there in _differences(a, b, reader)}
    except _Unlike:
        return set()


def _same_distance(a: s.Surface, b: s.Surface, reader: ReferenceReader) -> bool:
    """Whether two terms differ by their times alone, and by as much in all of them."""
    try:
        pairs = _differences(a, b, reader)
    except _Unlike:
        return False
    starts = [(reader.index(here) - reader.index(pairs[0][0])).expand() for here, _ in pairs]
    return len(_distances(a, b, reader)) == 1 and all(start.is_Integer for start in starts)


def _step(a: s.Surface, b: s.Surface, reader: ReferenceReader) -> int:
    """1 or −1 where the second of two terms is the next or the one before; 0 where it is neither."""
    found = _distances(a, b, reader)
    return next((step for step in (1, -1) if found == {Integer(step)}), 0)


def _told_by_ends(left: s.Surface, right: s.Surface, reader: ReferenceReader) -> set[int]:
    """Whether times rise between two terms with nothing but dots between them: from a number, or to T; and a chain of derivatives goes back
    from the later to the earlier.
    """
    from_, to = (reader.index(end) for end in _differences(left, right, reader)[0])
    if (from_.is_Integer and not to.is_Integer) or (T in to.free_symbols and T not in from_.free_symbols):
        return {1}
    if (to.is_Integer and not from_.is_Integer) or (T in from_.free_symbols and T not in to.free_symbols):
        return {-1}
    return {-1} if _goes_back(left, reader) else set()


def _goes_back(term: s.Surface, reader: ReferenceReader) -> bool:
    """Whether a term is the derivative of what is one step later than that by which it is taken: ∂h_j/∂h_{j-1}."""
    if not isinstance(term, s.Fraction):
        return False
    return _distances(term.denominator, term.numerator, reader) == {Integer(1)}


# -- two terms side by side ------------------------------------------------------------------------


def _differences(a: s.Surface, b: s.Surface, reader: ReferenceReader) -> list[_Pair]:
    """The times that differ between two terms.

    Raises
    ------
    _Unlike : the terms differ by more.
    """
    found: list[_Pair] = []

    def note(here: s.Surface, there: s.Surface) -> s.Surface:
        found.append((here, there))
        return here

    _together(a, b, reader, note)
    if not found:
        raise _Unlike
    return found


def _together(a: s.Surface, b: s.Surface, reader: ReferenceReader, change: Callable[..., s.Surface]) -> s.Surface:
    """The first of two terms with ``change`` applied to each of its times that the other has differently."""
    if a == b:
        return a
    if type(a) is not type(b):
        raise _Unlike
    parts: dict[str, Any] = {}
    for field in fields(a):
        mine, other = getattr(a, field.name), getattr(b, field.name)
        if not field.compare or mine == other:
            continue
        is_time = isinstance(a, s.Scripted) and field.name == "subs"
        parts[field.name] = _aligned(mine, other, reader, change, is_time)
    return replace(a, **parts)


def _aligned(mine: Any, other: Any, reader: ReferenceReader, change: Callable[..., s.Surface], is_time: bool) -> Any:
    if isinstance(mine, s.Surface) and isinstance(other, s.Surface):
        both = is_time and reader.index_or_none(mine) is not None and reader.index_or_none(other) is not None
        return change(mine, other) if both and mine != other else _together(mine, other, reader, change)
    if not isinstance(mine, tuple) or not isinstance(other, tuple) or len(mine) != len(other):
        raise _Unlike
    return tuple(_aligned(x, y, reader, change, is_time) for x, y in zip(mine, other, strict=True))


__all__ = ["without_dots"]
