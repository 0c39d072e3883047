"""How wide and high a formula will be, without asking any typesetter: widths of Computer Modern and TeX's rules for
fractions and scripts.

All lengths are in em of the surrounding letters. The estimate serves line breaking, table columns and label placement
in every output, so that all of them break a formula at the same place. It is meant to be within about a tenth of the
truth.

>>> from derive.notation.parser import parse_one
>>> round(width(parse_one("W h_{t-1} + U x_t")), 1)
5.8
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from derive.notation import surface as s
from derive.notation.vocabulary import FUNCTION_COMMANDS, GREEK

EM_CM = 9 / 72.27 * 2.54
"""Size of the letters in a drawing (9 pt) in centimetres."""

DISPLAY, TEXT, SCRIPT, SCRIPTSCRIPT = range(4)
_SIZE = (1.0, 1.0, 0.7, 0.5)
_AXIS = 0.25
_RELATION_SPACE, _BINARY_SPACE, _THIN = 0.278, 0.222, 0.167


class Extent(NamedTuple):
    """Width, and height above and depth below the line, in em."""

    width: float
    height: float
    depth: float

    @property
    def total(self) -> float:
        """Height and depth together."""
        return self.height + self.depth


def _table(text: str, first: str) -> dict[str, float]:
    return {chr(ord(first) + k): int(number) / 1000 for k, number in enumerate(text.split())}


_ITALIC = {
    **_table(
        "529 429 433 520 466 597 513 576 345 469 552 318 878 600 485 503 482 479 469 361 572 521 743 572 526 509", "a"
    ),
    **_table(
        "750 809 786 856 796 782 786 912 518 651 921 681 1079 912 791 781 791 767 671 723 792 806 1083 907 803 754", "A"
    ),
}
_ROMAN = {
    **_table("500 556 444 556 444 306 500 556 278 306 528 278 833 556 500 556 528 392 394 389 556 528 722 528 528 444", "a"),
    **_table("750 708 722 764 681 653 785 750 361 514 778 625 917 750 778 681 778 736 556 722 750 750 1028 750 750 611", "A"),
    " ": 0.333, ".": 0.278, ",": 0.278, ";": 0.278, ":": 0.278, "-": 0.333, "(": 0.389, ")": 0.389, "'": 0.278,
    "/": 0.5, "–": 0.5, "—": 1.0,
}  # fmt: skip
_GREEK = dict(
    zip(
        GREEK,
        (
            *(
                0.643,
                0.618,
                0.573,
                0.482,
                0.406,
                0.466,
                0.511,
                0.532,
                0.497,
                0.591,
                0.354,
                0.576,
                0.583,
                0.603,
                0.558,
                0.484,
                0.606,
                0.856,
                0.517,
            ),
            *(
                0.517,
                0.607,
                0.443,
                0.55,
                0.576,
                0.596,
                0.654,
                0.626,
                0.687,
                0.658,
                0.625,
                0.833,
                0.778,
                0.694,
                0.667,
                0.75,
                0.722,
                0.778,
                0.722,
            ),
            *(0.778, 0.722),
        ),
        strict=True,
    )
)
_DEEP = frozenset("gjpqyfQ") | {"beta", "gamma", "zeta", "eta", "mu", "xi", "rho", "phi", "varphi", "chi", "psi"}
_LOW = frozenset("acegmnopqrsuvwxyz") | {
    "alpha", "gamma", "epsilon", "varepsilon", "eta", "iota", "kappa", "mu", "nu", "pi", "rho", "sigma", "tau",
    "upsilon", "varphi", "chi", "omega",
}  # fmt: skip

_MARKS = {
    "ones": 0.575,
    "reals": 0.722,
    "nabla": 0.833,
    "partial": 0.586,
    "dots": 1.333,
    "top": 0.778,
    "infty": 1.0,
    "prime": 0.275,
    "star": 0.5,
}
_SIGNS = {"cdot": 0.278, "ast": 0.5, "slash": 0.5}
_DELIMITERS = {"(": 0.389, "[": 0.283, "{": 0.5, "<": 0.389, "norm": 0.5, "abs": 0.278}
_GROWTH = ((1.0, 0.0), (1.2, 0.07), (1.8, 0.21), (2.4, 0.35), (3.0, 0.4))


def measure(node: s.Surface, level: int = DISPLAY) -> Extent:
    """The extent of a formula at a level (``DISPLAY``, ``TEXT``, ``SCRIPT`` or ``SCRIPTSCRIPT``)."""
    return _RULES[type(node)](node, level)


def width(node: s.Surface, level: int = DISPLAY) -> float:
    """The width of a formula."""
    return measure(node, level).width


def text_width(text: str) -> float:
    """The width of words."""
    return sum(_ROMAN.get(char, 0.5 if char.isascii() else 0.6) for char in text)


def sign_width(kind: str) -> float:
    """The width of a sign with the space around it."""
    if kind in _DELIMITERS or kind in (")", "]"):
        return 0.5
    return _SIGNS.get(kind, 0.778) + 2 * _BINARY_SPACE if kind else 0.0


RELATION_WIDTH = 0.778 + 2 * _RELATION_SPACE


def label_extent(label: s.Surface | str) -> tuple[float, float]:
    """Width and height of a drawing's label in centimetres."""
    if isinstance(label, str):
        return (text_width(label) * EM_CM, EM_CM)
    extent = measure(label)
    return (extent.width * EM_CM, extent.total * EM_CM)


def _beside(parts: Iterable[Extent], space: float = 0.0) -> Extent:
    parts = tuple(parts)
    if not parts:
        return Extent(0.0, 0.0, 0.0)
    return Extent(sum(p.width for p in parts) + space, max(p.height for p in parts), max(p.depth for p in parts))


def _name(node: s.Name, level: int) -> Extent:
    text, size = node.text, _SIZE[level]
    depth = 0.194 if text in _DEEP else 0.0
    height = 0.431 if text in _LOW else 0.69
    if text in _ITALIC:
        return Extent(_ITALIC[text] * size, height * size, depth * size)
    if text in _GREEK:
        return Extent(_GREEK[text] * size, height * size, depth * size)
    if len(text) > 1 and text[:-1] in ("cal", "bb", "frak"):
        return Extent(0.72 * size, 0.69 * size, 0.0)
    wide = text_width(text) + (_THIN if text in FUNCTION_COMMANDS else 0.0)
    return Extent(wide * size, 0.69 * size, (0.194 if set(text) & _DEEP else 0.0) * size)


def _number(node: s.Number, level: int) -> Extent:
    return Extent(sum(0.278 if char in ".," else 0.5 for char in node.text) * _SIZE[level], 0.644 * _SIZE[level], 0.0)


def _mark(node: s.Mark, level: int) -> Extent:
    size = _SIZE[level]
    return Extent(_MARKS.get(node.kind, 0.778) * size, (0.106 if node.kind == "dots" else 0.69) * size, 0.0)


def _words(node: s.Text, level: int) -> Extent:
    return Extent(text_width(node.text) * _SIZE[level], 0.7 * _SIZE[level], 0.194 * _SIZE[level])


def _scripted(node: s.Scripted, level: int) -> Extent:
    base = measure(node.base, level)
    if isinstance(node.base, (s.Sum, s.Infix, s.Sequence)):
        base = base._replace(width=base.width + 2 * _DELIMITERS["("] * _SIZE[level])
    inner, size = max(SCRIPT, level + 1) if level < SCRIPT else SCRIPTSCRIPT, _SIZE[level]
    subs = _beside([measure(sub, inner) for sub in node.subs], 0.35 * max(0, len(node.subs) - 1) * size)
    sups = _beside([measure(sup, inner) for sup in node.sups], 0.35 * max(0, len(node.sups) - 1) * size)
    sups = sups._replace(width=sups.width + 0.23 * node.primes * size)
    scripts = max(subs.width, sups.width)
    drop = (0.25 if node.sups else 0.15) * size
    depth = max(
        base.depth,
        drop + subs.depth if node.subs else 0.0,
        base.depth + 0.05 * size + subs.depth if node.subs and base.depth > 0.3 else 0.0,
    )
    height = max(base.height, 0.41 * size + sups.height if node.sups or node.primes else 0.0)
    return Extent(base.width + scripts + (0.08 * size if scripts else 0.0), height, depth)


def _accent(node: s.Accent, level: int) -> Extent:
    body = measure(node.body, level)
    arrow = node.kind in ("rightarrow", "leftarrow")
    return body._replace(
        width=max(body.width, 0.9 * _SIZE[level] if arrow else 0.0),
        height=body.height + (0.45 if arrow else 0.25) * _SIZE[level],
    )


def tall(node: s.Surface) -> bool:
    """Whether something inside is higher than a line, so that brackets around it grow."""
    return any(isinstance(part, (s.Fraction, s.Matrix, s.Big)) for part in node.walk())


def _delimited(kind: str, body: Extent, level: int, grows: bool) -> Extent:
    half = max(body.height - _AXIS, body.depth + _AXIS)
    extra = max((more for limit, more in _GROWTH if grows and 2 * half >= limit), default=0.0)
    around = 2 * (_DELIMITERS.get(kind, 0.4) + extra) * _SIZE[level]
    # A bracket reaches as far above the axis as below it, and is never smaller than a letter.
    reach = max(0.5 * _SIZE[level], half if grows else 0.0)
    return Extent(body.width + around, max(body.height, reach + _AXIS), max(body.depth, reach - _AXIS))


def _bracket(node: s.Bracket, level: int) -> Extent:
    body = _beside([measure(item, level) for item in node.items], 0.45 * max(0, len(node.items) - 1) * _SIZE[level])
    return body if node.kind in ("group", "time") else _delimited(node.kind, body, level, any(map(tall, node.items)))


def _fence(node: s.Fence, level: int) -> Extent:
    return _delimited(node.kind, measure(node.body, level), level, tall(node.body))


def _sequence(node: s.Sequence, level: int) -> Extent:
    words = sum(isinstance(item, s.Name) and len(item.text) > 1 and item.text not in _GREEK for item in node.items[1:])
    return _beside([measure(item, level) for item in node.items], words * _THIN * _SIZE[level])


def _infix(node: s.Infix, level: int) -> Extent:
    signs = 0.0
    for operator in node.operators:
        if operator in ("at", "by"):
            continue
        signs += _SIGNS.get(operator, 0.778) + (2 * _BINARY_SPACE if level < SCRIPT and operator != "slash" else 0.0)
    return _beside([measure(item, level) for item in node.items], signs * _SIZE[level])


def _sum(node: s.Sum, level: int) -> Extent:
    space = 2 * _BINARY_SPACE if level < SCRIPT else 0.0
    signs = (len(node.items) - 1) * (0.778 + space) + (0.778 if node.signs[0] < 0 else 0.0)
    whole = _beside([measure(item, level) for item in node.items], signs * _SIZE[level])
    return whole._replace(depth=max(whole.depth, 0.083 * _SIZE[level]))


def _fraction(node: s.Fraction, level: int) -> Extent:
    inner = {DISPLAY: TEXT, TEXT: SCRIPT}.get(level, SCRIPTSCRIPT)
    above, below, size = measure(node.numerator, inner), measure(node.denominator, inner), _SIZE[level]
    up, down, clear = (0.677, 0.686, 0.14) if level == DISPLAY else (0.394, 0.345, 0.06)
    # Both parts keep clear of the bar, which is at the height of the axis.
    up, down = (
        max(up * size, above.depth + (_AXIS + clear) * size),
        max(down * size, below.height - (_AXIS - clear) * size),
    )
    return Extent(max(above.width, below.width) + 0.24 * size, up + above.height, down + below.depth)


def _root(node: s.Root, level: int) -> Extent:
    body = measure(node.body, level)
    return Extent(body.width + 0.9 * _SIZE[level], body.height + 0.35 * _SIZE[level], body.depth)


def _matrix(node: s.Matrix, level: int) -> Extent:
    cells = [[measure(entry, max(TEXT, level)) for entry in row] for row in node.rows]
    columns = [max(cell.width for cell in column) for column in zip(*cells, strict=True)]
    rows = [max(0.84, *(c.height for c in row)) + max(0.36, *(c.depth for c in row)) for row in cells]
    half = sum(rows) / 2
    return Extent(sum(columns) + (len(columns) - 1) + 2 * 0.75, half + _AXIS, half - _AXIS)


def _big(node: s.Big, level: int) -> Extent:
    body, size = measure(node.body, level), _SIZE[level]
    inner = SCRIPT if level < SCRIPT else SCRIPTSCRIPT
    sub, sup = (measure(part, inner) if part is not None else Extent(0.0, 0.0, 0.0) for part in (node.sub, node.sup))
    if level == DISPLAY:
        sign = max(1.444 if node.kind == "sum" else 1.278, sub.width, sup.width)
        height, depth = 1.05 + (0.25 + sup.total if node.sup else 0.0), 0.55 + (0.2 + sub.total if node.sub else 0.0)
    else:
        sign = (1.056 if node.kind == "sum" else 0.944) * size + max(sub.width, sup.width)
        height, depth = 0.9 * size, 0.4 * size
    return Extent(sign + _THIN * size + body.width, max(height, body.height), max(depth, body.depth))


def _relation(node: s.Relation, level: int) -> Extent:
    signs = len(node.operators) * (RELATION_WIDTH if level < SCRIPT else 0.778)
    return _beside([measure(item, level) for item in node.items], signs * _SIZE[level])


def _line(node: s.Line, level: int) -> Extent:
    return _beside([measure(item, level) for item in node.items], 0.45 * (len(node.items) - 1) * _SIZE[level])


_RULES: dict[type[s.Surface], Callable[[Any, int], Extent]] = {
    s.Name: _name, s.Number: _number, s.Mark: _mark, s.Text: _words, s.Scripted: _scripted, s.Accent: _accent, s.Bracket: _bracket,
    s.Fence: _fence, s.Sequence: _sequence, s.Infix: _infix, s.Sum: _sum, s.Fraction: _fraction, s.Root: _root, s.Matrix: _matrix,
    s.Big: _big, s.Relation: _relation, s.Line: _line,
}  # fmt: skip
