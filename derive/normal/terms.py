"""Terms of the canonical index form, and bringing one term to its canonical order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count, groupby, permutations, product
from typing import Any

from sympy import Basic, Dummy, Expr, Integer, Symbol

from derive.normal.domain import Constraint, at_most, closure, positive_sizes

_serial = count()

ZERO: Expr = Integer(0)

MAX_ORDERS = 5040
"""How many orders of indistinguishable factors are compared before a term is called too symmetric to decide."""


Key = tuple[Any, tuple[Expr, ...]]
"""What a term is, blind to times, and its times in canonical order."""


class TooSymmetric(Exception):
    """A term has too many indistinguishable factors to be brought to a canonical order."""


@dataclass(frozen=True)
class Index:
    """A component index; ``offset`` moves it inside a larger range (a block of a matrix). With it, it takes the values
    low .. low + size - 1.
    """

    serial: int
    size: Expr
    offset: Expr = ZERO
    low: Expr = ZERO

    @property
    def end(self) -> Expr:
        """The first value that it does not reach."""
        return self.low + self.size

    @classmethod
    def new(cls, size: Expr) -> Index:
        return cls(next(_serial), size)


@dataclass(frozen=True)
class Factor:
    """A tensor: what it is (``head``, with times as SymPy expressions in ``times``) and its indices."""

    head: tuple[Any, ...]
    times: tuple[Expr, ...]
    indices: tuple[Index, ...]


@dataclass(frozen=True)
class Term:
    """``coefficient · Σ over times in the region · Σ over inner indices · Π factors``."""

    coefficient: Expr
    factors: tuple[Factor, ...] = ()
    inner: tuple[Index, ...] = ()
    times: tuple[Symbol, ...] = ()
    region: tuple[tuple[Expr, Expr], ...] = ()
    """Pairs a <= b."""
    segments: tuple[tuple[int, Expr, Expr], ...] = ()
    """(serial, start, size): the index is confined to a block of its range."""

    def scaled(self, value: Expr) -> Term:
        return replace(self, coefficient=self.coefficient * value)


class Overlap(Exception):
    """Two blocks overlap in a way that does not follow from their sizes."""


def _intersection(one: tuple[Expr, Expr], two: tuple[Expr, Expr]) -> tuple[Expr, Expr] | None:
    """The common part of two blocks (start, size) of an index: the inner one, or None where they are disjoint for all
    sizes.

    Raises
    ------
    Overlap : it depends on the sizes.
    """
    (a, n), (b, m) = one, two
    if never_above(a + n, b) or never_above(b + m, a):
        return None
    if never_above(b, a) and never_above(a + n, b + m):
        return one
    if never_above(a, b) and never_above(b + m, a + n):
        return two
    raise Overlap


def never_above(a: Expr, b: Expr) -> bool:
    """Whether a <= b for all positive sizes."""
    return bool((b - a).expand().is_nonnegative)


def multiply(a: Term, b: Term) -> Term | None:
    """The product of two terms; None where it is zero (an index confined to two different blocks)."""
    segments = {serial: (start, size) for serial, start, size in a.segments}
    for serial, start, size in b.segments:
        common = _intersection(segments[serial], (start, size)) if serial in segments else (start, size)
        if common is None:
            return None
        segments[serial] = common
    return Term(
        a.coefficient * b.coefficient,
        a.factors + b.factors,
        a.inner + b.inner,
        a.times + b.times,
        a.region + b.region,
        tuple((serial, start, size) for serial, (start, size) in sorted(segments.items())),
    )


def rename(term: Term, old: Index, new: Index) -> Term:
    """Put one index in the place of another."""

    def change(index: Index) -> Index:
        return (
            replace(new, offset=new.offset + index.offset, low=new.low + index.offset)
            if index.serial == old.serial
            else index
        )

    factors = tuple(Factor(f.head, f.times, tuple(change(i) for i in f.indices)) for f in term.factors)
    segments = tuple(
        (new.serial if serial == old.serial else serial, start, size) for serial, start, size in term.segments
    )
    return replace(term, factors=factors, segments=segments)


def substitute_time(term: Term, values: Mapping[Symbol, Expr]) -> Term:
    """Put expressions in the place of times."""
    factors = tuple(Factor(f.head, tuple(t.xreplace(values) for t in f.times), f.indices) for f in term.factors)
    region = tuple((a.xreplace(values), b.xreplace(values)) for a, b in term.region)
    times = tuple(t for t in term.times if t not in values)
    return replace(term, coefficient=term.coefficient.xreplace(values), factors=factors, region=region, times=times)


# -- simplification --------------------------------------------------------------------------------


def contract(term: Term) -> Term:
    """Confine indices to their blocks, eliminate identities, and count inner indices that nothing depends on."""
    term = _fold_numbers(_confine(term))
    progress = True
    while progress:
        progress = False
        for factor in term.factors:
            if factor.head[0] == "delta":
                reduced = _eliminate(term, factor)
                if reduced is not None:
                    term, progress = reduced, True
                    break
    # Which identity a δ was cut from no longer matters once its indices are those of the result.
    term = replace(
        term, factors=tuple(replace(f, head=("delta",)) if f.head[0] == "delta" else f for f in term.factors)
    )
    used = {index.serial for factor in term.factors for index in factor.indices}
    coefficient, inner = term.coefficient, []
    for index in term.inner:
        if index.serial in used:
            inner.append(index)
        else:
            coefficient = coefficient * index.size
    return replace(term, coefficient=coefficient, inner=tuple(inner))


def _fold_numbers(term: Term) -> Term:
    """Numbers that depended on a time which has become known go back to the coefficient."""
    known = [f for f in term.factors if f.head == SCALAR_HEAD and not _has_time(f.times[0])]
    if not known:
        return term
    coefficient = term.coefficient
    for factor in known:
        coefficient = coefficient * factor.times[0]
    return replace(term, coefficient=coefficient, factors=tuple(f for f in term.factors if f not in known))


SCALAR_HEAD = ("scalar",)
"""The head of a factor that is a number depending on times, such as k in Σ_k k h_k: it is renamed with the times,
unlike a coefficient.
"""


def _has_time(value: Expr) -> bool:
    """Whether a number depends on a time or a summation index; sizes and lengths are positive, times are not known to
    be.
    """
    return any(not symbol.is_positive for symbol in value.free_symbols)


def scalar_term(value: Expr) -> Term:
    """A number as a term."""
    return Term(Integer(1), (Factor(SCALAR_HEAD, (value,), ()),)) if _has_time(value) else Term(value)


def _confine(term: Term) -> Term:
    """An inner index that is confined to a block becomes an index of that block's size, with an offset."""
    for serial, start, size in term.segments:
        inner = next((index for index in term.inner if index.serial == serial), None)
        if inner is not None:
            block = Index.new(size)
            moved = rename(term, inner, replace(block, offset=start, low=start))
            term = replace(
                moved,
                inner=tuple(block if index.serial == serial else index for index in term.inner),
                segments=tuple(s for s in moved.segments if s[0] != block.serial),
            )
    return term


def _eliminate(term: Term, delta: Factor) -> Term | None:
    a, b = delta.indices
    inner = {index.serial for index in term.inner}
    rest = replace(term, factors=tuple(f for f in term.factors if f is not delta))
    if a.serial == b.serial:
        return rest if a.offset == b.offset else None
    for gone, kept in ((a, b), (b, a)):
        # Σ over a of δ(a + p, b + q) f(a) = f(b + q - p) where the range of a + p holds that of b + q, and 0 where they
        # have nothing in common.
        if gone.serial not in inner:
            continue
        if never_above(gone.end, kept.low) or never_above(kept.end, gone.low):
            return replace(term, coefficient=ZERO, factors=rest.factors)
        holds = never_above(gone.low, kept.low) and never_above(kept.end, gone.end)
        if holds or (gone.offset == 0 and gone.size == _size(delta)):
            result = rename(rest, gone, replace(kept, offset=kept.offset - gone.offset, low=kept.low - gone.offset))
            return replace(result, inner=tuple(index for index in rest.inner if index.serial != gone.serial))
    return None


def _size(delta: Factor) -> Expr | None:
    """The size of the identity matrix that a δ is an entry of: both its indices, offsets included, lie within."""
    return delta.head[1] if len(delta.head) > 1 else None


def settle_times(term: Term) -> Iterator[Term]:
    """Remove times that can take only one value, and write out sums over a known small number of values."""
    for symbol in term.times:
        lows = [a for a, b in term.region if b == symbol and not a.has(symbol)]
        highs = [b for a, b in term.region if a == symbol and not b.has(symbol)]
        for low, high in product(lows, highs):
            span = (high - low).expand()
            if span.is_Integer and -1 <= span <= 40 and not (low.free_symbols & set(term.times)):
                if span < 0:
                    return
                for step in range(int(span) + 1):
                    yield from settle_times(substitute_time(term, {symbol: low + step}))
                return
        if len(lows) == len(highs) == 1 and not _depends(term, symbol) and (highs[0] - lows[0] + 1).is_nonnegative:
            counted = multiply(
                scalar_term(highs[0] - lows[0] + 1),
                replace(term, times=tuple(t for t in term.times if t != symbol), region=_without(term, symbol)),
            )
            if counted is not None:
                yield from settle_times(counted)
            return
    yield term


def _depends(term: Term, symbol: Symbol) -> bool:
    """Whether anything but the region of a sum varies with its index."""
    bounded = (
        any(a.has(symbol) and b.has(symbol) for a, b in term.region)
        or sum(a.has(symbol) or b.has(symbol) for a, b in term.region) != 2
    )
    return (
        bounded
        or term.coefficient.has(symbol)
        or any(time.has(symbol) for factor in term.factors for time in factor.times)
    )


def _without(term: Term, symbol: Symbol) -> tuple[tuple[Expr, Expr], ...]:
    return tuple((a, b) for a, b in term.region if not a.has(symbol) and not b.has(symbol))


# -- canonical order -------------------------------------------------------------------------------


def canonical(term: Term, free: Sequence[Index], assumptions: Iterable[Constraint] = ()) -> tuple[Key, Expr] | None:
    """The canonical key of a term and its coefficient; None if the region of its times is empty.

    A key is blind to times, which it lists apart in canonical order: what a formula inside another one says about times
    can then be renamed when the outer one sums over them.

    Raises
    ------
    TooSymmetric : too many factors cannot be told apart.
    """
    positions = {index.serial: ("free", k) for k, index in enumerate(free)}
    term = _aligned(term)
    parts = _components(term)
    if len(parts) > 1:
        if _region(term, {}, positive_sizes(())) is None:
            return None
        keys = [canonical(part, free, assumptions) for part in parts]
        found = sorted((key for entry in keys if entry is not None for key in entry[:1]), key=sort_key)
        if len(found) < len(parts):
            return None
        return (
            ("parts", tuple(blind for blind, _ in found)),
            tuple(time for _, times in found for time in times),
        ), term.coefficient
    inside = [f.times for f in term.factors] + [tuple(pair) for pair in term.region]
    outer = {symbol for times in inside for time in times for symbol in time.free_symbols} - set(term.times)
    given = [*assumptions, *positive_sizes(sorted(outer, key=str))]
    best: tuple[Any, Key] | None = None
    for order in _orders(term, positions):
        key = _key(term, order, positions, given)
        if key is None:
            return None
        rank = sort_key(key)
        if best is None or rank < best[0]:
            best = (rank, key)
    return None if best is None else (best[1], term.coefficient)


def _components(term: Term) -> list[Term]:
    """The factors that share no summed index and no summed time with each other, as terms of their own: each has its
    own order.
    """
    groups: list[tuple[set[Any], list[Factor]]] = []
    inner, times = {index.serial for index in term.inner}, set(term.times)
    for factor in term.factors:
        shared = {i.serial for i in factor.indices if i.serial in inner} | {
            s for time in factor.times for s in time.free_symbols & times
        }
        touching = [group for group in groups if group[0] & shared]
        merged = (
            shared.union(*(group[0] for group in touching)),
            [f for group in touching for f in group[1]] + [factor],
        )
        groups = [group for group in groups if group not in touching] + [merged]
    if len(groups) < 2 or times:
        return [term]
    alone = [
        Term(Integer(1), tuple(factors), tuple(i for i in term.inner if i.serial in shared))
        for shared, factors in groups
    ]
    return [*alone, Term(Integer(1), segments=term.segments)] if term.segments else alone


def sort_key(key: Key) -> tuple[str, tuple[str, ...]]:
    """An order of keys that does not depend on the names of what an outer formula sums over."""
    blind, times = key
    return repr(blind), tuple(masked_time(time) for time in times)


def masked_time(time: Expr) -> str:
    """A time with the indices of outer sums (dummies) unnamed; its offset is written so that order is numeric, hence
    the same after a shift.
    """
    offset, rest = time.as_coeff_Add()
    masked = rest.xreplace({symbol: Symbol("·") for symbol in rest.free_symbols if isinstance(symbol, Dummy)})
    return f"{masked}@{int(offset) + 500_000:07d}" if offset.is_Integer else f"{masked}@{offset}"


def _aligned(term: Term) -> Term:
    """Shift every summed time so that the latest time it appears in has no offset."""
    for symbol in term.times:
        offsets = []
        for factor in term.factors:
            for time in factor.times:
                offset = (time - symbol).expand()
                if offset.is_Integer:
                    offsets.append(int(offset))
        if offsets and max(offsets) != 0:
            fresh = Dummy(symbol.name, integer=True)
            times = tuple(fresh if t == symbol else t for t in term.times)
            moved = substitute_time(replace(term, times=()), {symbol: fresh - max(offsets)})
            term = replace(moved, times=times)
    return term


def _masked(factor: Factor, term: Term, positions: Mapping[int, tuple[str, int]]) -> tuple[Any, ...]:
    """What can be said of a factor without naming summed indices and times."""
    times = tuple(masked_time(t) for t in factor.times)
    indices = tuple(
        (positions[i.serial], str(i.offset)) if i.serial in positions else (("inner", 0), f"{i.size}|{i.offset}")
        for i in factor.indices
    )
    return (factor.head, times, indices)


def _orders(term: Term, positions: Mapping[int, tuple[str, int]]) -> Iterator[tuple[Factor, ...]]:
    """Orders of the factors in which a canonical one is found: sorted by what can be said of them, all orders among
    equals.
    """
    colours: dict[int, Any] = {k: _masked(f, term, positions) for k, f in enumerate(term.factors)}
    for _ in range(2):
        colours = _refined(term, colours)
    ranked = sorted(range(len(term.factors)), key=lambda k: repr(colours[k]))
    groups = [list(group) for _, group in groupby(ranked, key=lambda k: repr(colours[k]))]
    number = 1
    for group in groups:
        distinct = {(term.factors[k].head, term.factors[k].times, term.factors[k].indices) for k in group}
        if len(distinct) > 1:
            for k in range(2, len(group) + 1):
                number *= k
    if number > MAX_ORDERS:
        raise TooSymmetric
    choices = [
        list(permutations(group))
        if len({(term.factors[k].times, term.factors[k].indices) for k in group}) > 1
        else [tuple(group)]
        for group in groups
    ]
    for choice in product(*choices):
        yield tuple(term.factors[k] for part in choice for k in part)


def _refined(term: Term, colours: Mapping[int, Any]) -> dict[int, Any]:
    """Colour refinement: a factor is also known by the factors that it shares indices and times with."""
    where: dict[Any, list[tuple[int, int]]] = {}
    for k, factor in enumerate(term.factors):
        for position, index in enumerate(factor.indices):
            where.setdefault(index.serial, []).append((k, position))
        for position, time in enumerate(factor.times):
            for symbol in time.free_symbols & set(term.times):
                where.setdefault(symbol, []).append((k, 100 + position))
    result = {}
    for k, factor in enumerate(term.factors):
        seen = []
        for position, index in enumerate(factor.indices):
            seen.append((position, sorted(repr((colours[j], p)) for j, p in where[index.serial] if j != k)))
        for position, time in enumerate(factor.times):
            for symbol in time.free_symbols & set(term.times):
                seen.append((100 + position, sorted(repr((colours[j], p)) for j, p in where[symbol] if j != k)))
        result[k] = hash_free(repr((colours[k], seen)))
    return result


def hash_free(text: str) -> str:
    """A short name for a long description, the same in every run."""
    import hashlib

    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def _key(
    term: Term, order: Sequence[Factor], positions: Mapping[int, tuple[str, int]], given: Sequence[Constraint]
) -> Key | None:
    """The term with summed indices and times numbered in the order in which they appear; None if its region is empty."""
    numbers: dict[int, int] = {}
    names: dict[Symbol, Symbol] = {}
    level = 1 + max(
        (_level(symbol) for factor in term.factors for time in factor.times for symbol in time.free_symbols), default=0
    )
    parts, listed = [], []
    for factor in order:
        for time in factor.times:
            for symbol in sorted(time.free_symbols & set(term.times), key=lambda s: s.name):
                names.setdefault(symbol, _bound(level, len(names)))
        indices = []
        for index in factor.indices:
            if index.serial in positions:
                indices.append(f"{positions[index.serial]}+{index.offset}")
            else:
                number = numbers.setdefault(index.serial, len(numbers))
                indices.append(f"{number}:{index.size}+{index.offset}")
        listed += [time.xreplace(names).expand() for time in factor.times]
        parts.append((factor.head, len(factor.times), tuple(indices)))
    for symbol in term.times:
        names.setdefault(symbol, _bound(level, len(names)))
    region = _region(term, names, given)
    if region is None:
        return None
    shown = tuple((masked_time(a), masked_time(b), c) for a, b, c in region)
    listed += [
        side for a, b, _ in region for side in (a, b) if any(isinstance(symbol, Dummy) for symbol in side.free_symbols)
    ]
    segments = tuple(
        sorted((repr(positions.get(serial, serial)), str(start), str(size)) for serial, start, size in term.segments)
    )
    return (tuple(parts), shown, segments), tuple(listed)


_BOUND = "τ"


def _bound(level: int, number: int) -> Symbol:
    """The canonical name of a summed time. Sums inside a formula that is itself summed have a lower level, so that the
    names never meet.
    """
    return Symbol(f"{_BOUND}{level}.{number}", integer=True)


def _level(symbol: Basic) -> int:
    """The level of a canonical name; 0 for other symbols."""
    name = getattr(symbol, "name", "")
    return int(name[1:].partition(".")[0]) if name.startswith(_BOUND) and "." in name else 0


def _region(
    term: Term, names: Mapping[Symbol, Symbol], given: Sequence[Constraint]
) -> tuple[tuple[Expr, Expr, int], ...] | None:
    """The closed region as triples (a, b, c): a - b <= c; None if it is empty. Bounds of another form stay as they were
    written.
    """
    constraints: list[Constraint] = []
    other: list[tuple[Expr, Expr, int]] = []
    symbols: dict[str, Expr] = {"": Integer(0)}
    for a, b in term.region:
        a, b = a.xreplace(names), b.xreplace(names)
        symbols.update({_unique(symbol): symbol for side in (a, b) for symbol in side.free_symbols})
        constraint = at_most(a, b, {symbol: _unique(symbol) for side in (a, b) for symbol in side.free_symbols})
        if constraint is None:
            other.append((a, b, 0))
        else:
            constraints.append(constraint)
    closed = closure([*constraints, *given])
    if closed is None:
        return None
    summed = {_unique(symbol) for symbol in names.values()}
    found = [
        (symbols.get(a, Symbol(a)), symbols.get(b, Symbol(b)), c)
        for (a, b), c in closed.items()
        if a in summed or b in summed
    ]
    return tuple(sorted([*found, *other], key=lambda entry: (masked_time(entry[0]), masked_time(entry[1]), entry[2])))


def _unique(symbol: Any) -> str:
    return f"{symbol.name}#{symbol.dummy_index}" if isinstance(symbol, Dummy) else str(symbol.name)
