"""What stands beside an equation and says for which times it is meant: ``k < t``, ``(1 \\le t < T)``, ``t = 1, \\dots, T-1``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from derive.notation import surface as s
from derive.notation.scope import CONVENTIONAL_INDICES
from derive.notation.source import Span

_ORDERS = frozenset({"<", "<=", ">", ">=", "=", "!="})


def spread(items: Iterable[s.Surface]) -> Iterator[s.Surface]:
    """The parts of a line, with conditions taken out of the parentheses that they stand in and ranges told by their ends."""
    pending = list(_opened(items))
    while pending:
        taken, count = _range(pending)
        if taken is None:
            yield pending.pop(0)
        else:
            yield taken
            del pending[:count]


def is_condition(relation: s.Relation) -> bool:
    """Whether a relation speaks of times alone: ``k < t``, ``1 \\le t \\le T``, ``t = T``."""
    if relation.operators == ("in",):
        item = relation.items[0]
        return isinstance(item, s.Name) and item.text in CONVENTIONAL_INDICES and not _is_space(relation.items[1])
    if not set(relation.operators) <= _ORDERS:
        return False
    leaves = [leaf for item in relation.items for leaf in item.walk()]
    names = [leaf.text for leaf in leaves if isinstance(leaf, s.Name)]
    plain = all(isinstance(leaf, (s.Name, s.Sum, s.Mark)) or _is_whole(leaf) for leaf in leaves)
    return plain and bool(names) and all(name in CONVENTIONAL_INDICES for name in names)


def _is_whole(leaf: s.Surface) -> bool:
    return isinstance(leaf, s.Number) and leaf.text.isdecimal()


def _is_space(node: s.Surface) -> bool:
    return any(isinstance(part, s.Mark) and part.kind == "reals" for part in node.walk())


def _is_time(item: s.Surface) -> bool:
    return all(isinstance(node, (s.Name, s.Number, s.Sum)) for node in item.walk())


def _opened(items: Iterable[s.Surface]) -> Iterator[s.Surface]:
    for item in items:
        inside = _conditions(item)
        if inside:
            yield from inside
            continue
        rest, inside = _split(item)
        yield rest
        yield from inside


def _split(item: s.Surface) -> tuple[s.Surface, Sequence[s.Surface]]:
    """A formula without the condition in parentheses at its end, and that condition."""
    if not isinstance(item, (s.Relation, s.Sum, s.Sequence)) or len(item.items) < 2:
        return item, ()
    *before, last = item.items
    inside = _conditions(last) if isinstance(item, s.Sequence) else ()
    if inside and before[0].span is not None and before[-1].span is not None:
        whole = before[0].span.to(before[-1].span)
        return before[0] if len(before) == 1 else s.Sequence(tuple(before), span=whole), inside
    rest, inside = _split(last)
    if not inside or item.span is None or rest.span is None:
        return item, ()
    return replace(item, items=(*before, rest), span=Span(item.span.start, rest.span.end, item.span.source)), inside


def _conditions(item: s.Surface) -> Sequence[s.Surface]:
    """What stands in parentheses, if it begins with a condition."""
    if not isinstance(item, s.Bracket) or item.kind != "(" or not item.items:
        return ()
    first = item.items[0]
    return item.items if isinstance(first, s.Relation) and is_condition(first) else ()


def _range(items: Sequence[s.Surface]) -> tuple[s.Relation | None, int]:
    """``t = 1, \\dots, T-1`` or ``t = T-1, ..., 1`` as 1 ≤ t ≤ T - 1, and how many parts it is made of."""
    first = items[0]
    if not isinstance(first, s.Relation) or first.operators != ("=",) or not is_condition(first):
        return None, 0
    letter, start = first.items
    if not isinstance(letter, s.Name) or not _is_time(start):
        return None, 0
    dots = next((k for k, item in enumerate(items[1:4], 1) if item == s.Mark("dots")), 0)
    if not dots or dots + 1 >= len(items) or not all(_is_time(item) for item in items[1:dots]):
        return None, 0
    end = items[dots + 1]
    if not _is_time(end):
        return None, 0
    down = isinstance(end, s.Number) and not isinstance(start, s.Number)
    low, high = (end, start) if down else (start, end)
    return s.Relation(("<=", "<="), (low, letter, high), span=first.span), dots + 2


__all__ = ["is_condition", "spread"]
