"""What a document claims: each displayed equation, a chain in one piece, with the conditions that stand beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from derive.errors import BpttError, ParseError
from derive.notation import surface as s
from derive.notation.parser import parse_lines
from derive.notation.scope import CONVENTIONAL_INDICES
from derive.notation.source import Source, Span
from verify.document import Formula

_ROW = re.compile(r"\\\\\*?(?:\[[^\[\]]*\])?|\\begin\s*\{\s*\w+\*?\s*\}|\\end\s*\{\s*\w+\*?\s*\}|%[^\n]*")
_RELATION = re.compile(
    r"[=<>≤≥≈≠≔]|\\(?:leq?|geq?|leqslant|geqslant|approx|simeq|neq?|coloneqq|triangleq|equiv|in|propto|sim)(?![A-Za-z])"
)
_GOES_ON = re.compile(r"\s*&?\s*(?:[=<>≤≥≈+−*/·⊙-]|\\(?:leq?|geq?|approx|odot|cdot|times|circ|quad|qquad)(?![A-Za-z]))")
_ORDERS = frozenset({"<", "<=", ">", ">=", "="})
_NUMBER = re.compile(r"\((?:(?:eq|gl)\.?\s*)?(?:\d+(?:\.\d+)*[a-z]?|[*†]+)\)")
"""The number of an equation, in words: (1), (eq. 2.3a)."""
_TRIVIAL = re.compile(r"[\s&.,;]*\Z")


@dataclass(frozen=True)
class Claim:
    """A displayed equation.

    Parameters
    ----------
    source     : its text, which knows its place.
    span       : its place.
    surface    : the equation as it is written; None where it cannot be read.
    error      : why it cannot be read.
    conditions : relations between times beside it, as in ``k < t``.
    words      : the text before it.
    cell       : the number of the notebook's cell that it stands in.
    """

    source: Source
    span: Span
    surface: s.Surface | None = None
    error: BpttError | None = None
    conditions: tuple[s.Relation, ...] = ()
    words: str = ""
    cell: int | None = None

    @property
    def text(self) -> str:
        """The formula as the author wrote it."""
        return " ".join(self.span.text.split())


def claims_of(formula: Formula) -> Iterator[Claim]:
    """The claims of a formula: one a line of it, and one a relation where commas separate several."""
    if formula.error is not None:
        yield Claim(formula.source, _whole(formula.source), error=formula.error, words=formula.words, cell=formula.cell)
        return
    words = formula.words
    for claim in _of_source(formula.source, formula.lines, words, formula.cell):
        yield claim
        words = ""


def _of_source(source: Source, lines: bool, words: str, cell: int | None) -> Iterator[Claim]:
    try:
        parsed = parse_lines(source, newlines=lines)
    except BpttError as error:
        rows = _rows(source, lines)
        if len(rows) > 1:  # one line that cannot be read does not hide the others
            for row in rows:
                yield from _of_source(row, lines, words, cell)
                words = ""
        elif not (lines and _is_prose(source.text)) and not _TRIVIAL.match(source.text):
            yield Claim(source, _whole(source), error=error, words=words, cell=cell)
        return
    for line in parsed:
        if lines and line.span is not None and _is_prose(line.span.text):
            words += f" {line.span.text}"
            continue
        yield from _of_line(line, source, words, cell)
        words = ""


def _is_prose(text: str) -> bool:
    """Whether a line of a text without marks is words: it relates nothing."""
    return _RELATION.search(text) is None


def _whole(source: Source) -> Span:
    text = source.text
    start = len(text) - len(text.lstrip())
    return Span(start, max(start + 1, len(text.rstrip())), source)


def _rows(source: Source, lines: bool) -> list[Source]:
    """The lines of a display or a text, each with those that continue it."""
    text = source.text
    cuts, depth, at = [0], 0, 0
    pattern = re.compile(_ROW.pattern + r"|\n" if lines else _ROW.pattern)
    for match in pattern.finditer(text):
        piece = match.group()
        if piece.startswith("\\begin"):
            depth += 1
        elif piece.startswith("\\end"):
            depth -= 1
        elif not piece.startswith("%") and depth <= 0 and match.start() >= at:
            if not _GOES_ON.match(text, match.end()):
                cuts.append(match.end())
            at = match.end()
    cuts.append(len(text))
    pieces = [(a, b) for a, b in pairwise(cuts) if text[a:b].strip()]
    if pieces == [(0, len(text))]:
        return []
    return [source.part(a, b) for a, b in pieces]


def _of_line(line: s.Line, source: Source, words: str, cell: int | None) -> Iterator[Claim]:
    """One claim for each equation of a line; conditions belong to the equation before them. What stands beside an equation
    and is not read, formulas or words, may change what it means: the equation is not read either.
    """
    equations: list[tuple[s.Surface, list[s.Relation]]] = []
    waiting: list[s.Surface] = []
    beside: s.Surface | None = None
    for item in line.items:
        if isinstance(item, s.Text):
            words += f" {item.text}"
            said = item.text.strip(" .,;:").lower()
            beside = beside or (None if said in _CONNECTIVES or _NUMBER.fullmatch(said) else item)
        elif not isinstance(item, s.Relation):
            waiting.append(item)
        elif _is_condition(item) and equations and not waiting:
            equations[-1][1].append(item)
        elif item.operators == ("in",) and waiting:
            equations.append((s.Line((*waiting, item), span=_joined((*waiting, item))), []))
            waiting = []
        else:
            equations.append((item, []))
    if equations and (waiting or beside is not None):
        beside = beside or waiting[0]
    error = None
    if beside is not None and equations:
        error = ParseError(
            "what stands beside the equation is not read", span=beside.span, expected="one equation, or words outside"
        )
    for surface, conditions in equations:
        span = surface.span or _whole(source)
        yield Claim(source, span, surface, error, tuple(conditions), words, cell)
        words = ""
    if not equations and waiting:
        yield Claim(source, _joined(waiting) or _whole(source), waiting[0], None, (), words, cell)


_CONNECTIVES = frozenset(
    """
    and where with for if when then so thus hence therefore let since because as also now finally or on by i.e e.g all every each any
    und wobei mit für wenn dann also daher somit sei da
    """.split()
) | {
    "",
    "for all",
    "for every",
    "for each",
    "for any",
    "we get",
    "we have",
    "we obtain",
    "it follows that",
    "so that",
    "and so",
    "and thus",
}


def _joined(items: Sequence[s.Surface]) -> Span | None:
    first, last = items[0].span, items[-1].span
    return first.to(last) if first is not None and last is not None else None


def _is_condition(relation: s.Relation) -> bool:
    """Whether a relation speaks of times alone: ``k < t``, ``1 \\le t \\le T``, ``t = T``."""
    if relation.operators == ("in",):
        item = relation.items[0]
        return isinstance(item, s.Name) and item.text in CONVENTIONAL_INDICES and not _is_space(relation.items[1])
    if not set(relation.operators) <= _ORDERS:
        return False
    leaves = [leaf for item in relation.items for leaf in item.walk()]
    names = [leaf.text for leaf in leaves if isinstance(leaf, s.Name)]
    plain = all(isinstance(leaf, (s.Name, s.Number, s.Sum, s.Mark)) for leaf in leaves)
    return plain and bool(names) and all(name in CONVENTIONAL_INDICES for name in names)


def _is_space(node: s.Surface) -> bool:
    return any(isinstance(part, s.Mark) and part.kind == "reals" for part in node.walk())


__all__ = ["Claim", "claims_of"]
