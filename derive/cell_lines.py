"""The lines of a cell's text, sorted by what they are: equations, declarations, functions, assumptions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from derive.errors import CellError, ParseError
from derive.notation import surface as s
from derive.notation.scope import CONVENTIONAL_INDICES
from derive.notation.source import Source, Span
from derive.notation.trees import TreeLetters

MAX_EQUATIONS = 200
"""The most equations of a cell."""
MAX_LEAVES = 300
"""The most names and numbers in one equation: the gradient of a product is longer than it by as many factors."""

_COMPARISONS = frozenset({"<", "<=", ">", ">="})


@dataclass
class CellLines:
    """The lines of a text, sorted by what they are."""

    equations: list[s.Relation] = field(default_factory=list)
    declarations: list[tuple[s.Surface, s.Relation]] = field(default_factory=list)
    functions: list[s.Surface] = field(default_factory=list)
    assumptions: list[s.Relation] = field(default_factory=list)
    unit_sums: list[s.Relation] = field(default_factory=list)
    """``\\mathbf{1}^\\top y_t = 1``"""
    style: tuple[str, str] | None = None
    tree: TreeLetters | None = None


def _without_range(items: Sequence[s.Surface]) -> Sequence[s.Surface]:
    """A line without the times for which its equation is said to hold: ``h_t = ..., t = 1, \\dots, T``. Every equation
    holds at each step.
    """
    for position, item in enumerate(items):
        if (
            position
            and isinstance(item, s.Relation)
            and _is_range(item)
            and any(isinstance(before, s.Relation) for before in items[:position])
        ):
            return items[:position]
    return items


def _is_range(item: s.Relation) -> bool:
    """``t = 1``, ``1 \\le t \\le T``, ``t \\ge 1``, ``t \\in \\{1, ..., T\\}``."""
    index = [part for part in item.items if isinstance(part, s.Name) and part.text in CONVENTIONAL_INDICES - {"T"}]
    return len(index) == 1 and (item.items[0] is index[0] or set(item.operators) <= {"<=", "<"})


def summed_to_one(relation: s.Relation) -> s.Surface | None:
    """The vector of ``\\mathbf{1}^\\top y_t = 1`` or ``y_t \\mathbf{1} = 1``; None where a relation says something else."""
    if relation.operators != ("=",) or relation.items[1] != s.Number("1"):
        return None
    left = relation.items[0]
    factors = left.items if isinstance(left, (s.Sequence, s.Infix)) and len(left.items) == 2 else ()
    bases = [s.bare(factor) for factor in factors]
    ones = [isinstance(base, s.Mark) and base.kind == "ones" for base in bases]
    return factors[ones.index(False)] if sorted(ones) == [False, True] else None


def sort_lines(lines: Sequence[s.Line], source: Source) -> CellLines:
    """Sort them.

    Raises
    ------
    ParseError : a line is none of these, or there is no equation.
    CellError  : there are too many equations, or one is too long.
    """
    parts = CellLines()
    for line in lines:
        waiting: list[s.Surface] = []
        for item in _without_range(line.items):
            if isinstance(item, s.Text):
                continue
            if not isinstance(item, s.Relation):
                waiting.append(item)
            elif item.operators == ("in",):
                parts.declarations.extend((name, item) for name in (*waiting, item.items[0]))
                waiting = []
            elif item.operators == (":", "->"):
                parts.functions.extend((*waiting, item.items[0]))
                waiting = []
            elif summed_to_one(item) is not None:
                parts.unit_sums.append(item)
            elif item.operators in (("=",), (":=",)):
                parts.equations.append(item)
            elif set(item.operators) <= _COMPARISONS:
                parts.assumptions.append(item)
            else:
                raise ParseError(
                    "this line is neither an equation nor a declaration",
                    span=item.span,
                    expected="name = expression, or name \\in \\mathbb{R}^{n}",
                )
        if waiting:
            raise ParseError(
                "this is not an equation",
                span=waiting[0].span,
                expected="name = expression",
                hint="every line of a cell defines one quantity",
            )
    if not parts.equations:
        raise ParseError(
            "there is no equation",
            span=Span(0, max(1, len(source.text)), source),
            expected="equations such as h_t = \\tanh(W h_{t-1} + U x_t + b)",
        )
    _check_extent(parts.equations)
    return parts


def _check_extent(equations: Sequence[s.Relation]) -> None:
    """A text may be long; a cell of more than this would be derived for hours."""
    if len(equations) > MAX_EQUATIONS:
        place = equations[MAX_EQUATIONS].span
        raise CellError(
            f"the cell has {len(equations):,} equations",
            span=place,
            expected=f"at most {MAX_EQUATIONS}",
            hint="is this the right file?",
        )
    for equation in equations:
        leaves = sum(isinstance(node, (s.Name, s.Number)) for node in equation.walk())
        if leaves > MAX_LEAVES:
            raise CellError(
                f"this equation has {leaves:,} names and numbers",
                span=equation.items[0].span,
                expected=f"at most {MAX_LEAVES:,}",
                hint="name its parts by equations of their own",
            )
