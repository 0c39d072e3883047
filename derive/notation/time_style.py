"""Other ways to write a time: h(t), h^t. They are turned into h_t where the left sides of the equations show that they
are meant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from derive.notation import surface as s
from derive.notation.rebuild import rebuilt
from derive.notation.scope import (
    CONVENTIONAL_INDICES,
    ELEMENTWISE,
    EXTREMES,
    MATRIX_FUNCTIONS,
    is_index,
    offset_letters,
)

_LETTERS = CONVENTIONAL_INDICES - {"T"}


def style_of(lines: Iterable[s.Surface]) -> tuple[str, str] | None:
    """How a text writes times, as (``call`` or ``sup``, the letter of the time); None where it writes h_t.

    A left side h(t) can be nothing else. A left side h^t is a time only if another line looks at h^{t-1} or h^{t+1}.
    """
    lines = list(lines)
    for line in lines:
        left = line.items[0] if isinstance(line, s.Relation) else None
        if isinstance(left, s.Sequence) and len(left.items) == 2:
            letter = _index_letter(_argument(left.items[1]))
            if letter and _takes_time(left.items[0]):
                return "call", letter
        if isinstance(left, s.Scripted) and len(left.sups) == 1:
            letter = _index_letter(left.sups[0])
            if letter and not any(is_index(sub, _LETTERS) for sub in left.subs) and _occurs_with_offset(letter, lines):
                return "sup", letter
    return None


def _index_letter(node: s.Surface | None) -> str | None:
    """The letter of a bare index."""
    return node.text if isinstance(node, s.Name) and node.text in _LETTERS else None


def _argument(node: s.Surface) -> s.Surface | None:
    return node.items[0] if isinstance(node, s.Bracket) and node.kind == "(" and len(node.items) == 1 else None


def _takes_time(node: s.Surface) -> bool:
    base = s.bare(node)
    word = base.text if isinstance(base, s.Name) else ""
    function = word in MATRIX_FUNCTIONS or word in EXTREMES or (word in ELEMENTWISE and word != "sigma")
    return isinstance(base, (s.Name, s.Accent)) and not function


def _occurs_with_offset(letter: str, lines: Sequence[s.Surface]) -> bool:
    scripted = (node for line in lines for node in line.walk() if isinstance(node, s.Scripted))
    return any(letter in offset_letters(sup) for node in scripted for sup in node.sups)


def with_subscripts(node: s.Surface, style: tuple[str, str] | None) -> s.Surface:
    """The same surface with every time as a subscript."""
    if style is None:
        return node
    kind, letter = style
    return rebuilt(node, _calls(letter) if kind == "call" else _superscripts(letter))


def _calls(letter: str) -> Callable[[s.Surface], s.Surface]:
    def change(node: s.Surface) -> s.Surface:
        if not isinstance(node, s.Sequence):
            return node
        items: list[s.Surface] = []
        for item in node.items:
            body, sups = (item.base, item.sups) if isinstance(item, s.Scripted) else (item, ())
            index = _argument(body)
            if items and index is not None and _takes_time(items[-1]) and is_index(index, {letter}):
                items[-1] = _at(items[-1], index, sups)
            else:
                items.append(item)
        return items[0] if len(items) == 1 else replace(node, items=tuple(items))

    return change


def _superscripts(letter: str) -> Callable[[s.Surface], s.Surface]:
    def change(node: s.Surface) -> s.Surface:
        if not isinstance(node, s.Scripted) or not isinstance(node.base, (s.Name, s.Accent)):
            return node
        sups = tuple(part for sup in node.sups for part in _with_transpose(sup))
        times = [sup for sup in sups if is_index(sup, {letter}) and not isinstance(sup, s.Bracket)]
        if len(times) != 1:
            return node
        kept = tuple(sup for sup in sups if sup is not times[0])
        return replace(node, subs=(*node.subs, times[0]), sups=kept)

    return change


def _with_transpose(sup: s.Surface) -> tuple[s.Surface, ...]:
    """``t \\top`` as the time and the transpose; anything else as it is."""
    if isinstance(sup, s.Sequence) and len(sup.items) == 2 and sup.items[1] == s.Mark("top"):
        return sup.items
    return (sup,)


def _at(name: s.Surface, index: s.Surface, sups: tuple[s.Surface, ...]) -> s.Surface:
    span = name.span.to(index.span) if name.span and index.span else name.span
    if isinstance(name, s.Scripted):
        return replace(name, subs=(*name.subs, index), sups=(*name.sups, *sups), span=span)
    return s.Scripted(name, (index,), sups, span=span)
