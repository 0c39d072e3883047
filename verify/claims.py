"""What a document claims: each displayed equation, a chain in one piece, with the conditions that stand beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from derive.errors import BpttError, ParseError
from derive.notation import surface as s
from derive.notation.columns import ChainInterrupted
from derive.notation.parser import parse_lines
from derive.notation.scope import CONVENTIONAL_INDICES
from derive.notation.source import Source, Span
from derive.notation.vocabulary import LINE_ENVIRONMENTS
from verify.beside import is_condition, spread
from verify.braced import without_equations_at_braces
from verify.cases import apart, tells_cases
from verify.document import Formula
from verify.macros import UNCLEAR

_ROW = re.compile(r"\\\\\*?(?:\[[^\[\]]*\])?|\\begin\s*\{\s*\w+\*?\s*\}|\\end\s*\{\s*\w+\*?\s*\}|%[^\n]*")
_RELATION = re.compile(
    r"[=<>≤≥≈≠≔≝≕]|\\(?:leq?|geq?|leqslant|geqslant|approx|simeq|neq?|coloneqq?|eqq?colon|doteq|defeq|eqdef|triangleq|equiv|in|propto|sim)(?![A-Za-z])"
)
_GOES_ON = re.compile(r"\s*&?\s*(?:[=<>≤≥≈+−*/·⊙-]|\\(?:leq?|geq?|approx|odot|cdot|times|circ|quad|qquad)(?![A-Za-z]))")
_ADDS = re.compile(r"[\s&]*(?:\\q?quad\s*)?(?:[+−*/·⊙-]|\\(?:odot|cdot|times|circ)(?![A-Za-z]))")
"""How a line begins that goes on with the same side."""
_NUMBER = re.compile(r"\((?:(?:eq|gl)\.?\s*)?(?:\d+(?:\.\d+)*[a-z]?|[*†]+)\)")
"""The number of an equation, in words: (1), (eq. 2.3a)."""
MAX_CLAIMS = 2_000
MOST_NESTED = 3
"""So many environments of lines may stand in each other."""
_ENVIRONMENT = re.compile(rf"\s*\\begin\s*\{{\s*((?:{'|'.join(sorted(LINE_ENVIRONMENTS))})\*?)\s*\}}(?:\s*\{{\d*\}})?")
_ENDED = re.compile(r"\\end\s*\{\s*(\w+\*?)\s*\}[\s.,;]*\Z")
_BORDER = re.compile(r"\\(?:begin|end)\s*\{")
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
    sentence   : the words of its sentence before it, with a mark for each formula in them.
    after      : the first characters behind the formula that it stands in.
    cell       : the number of the notebook's cell that it stands in.
    inline     : whether it stands within a line.
    qualified  : whether its sentence says when it holds, in words that are not read.
    ordered    : whether its products say in which order their factors stand.
    altered    : whether words make something else of a formula that they say a letter to be.
    continues  : whether it goes on with the equation in the line above, under a condition of its own.
    """

    source: Source
    span: Span
    surface: s.Surface | None = None
    error: BpttError | None = None
    conditions: tuple[s.Relation, ...] = ()
    words: str = ""
    sentence: str = ""
    after: str = ""
    cell: int | None = None
    inline: bool = False
    qualified: bool = False
    ordered: bool = False
    altered: bool = False
    continues: bool = False

    @property
    def text(self) -> str:
        """The formula as the author wrote it."""
        span = self.span.original if UNCLEAR in self.span.text else self.span
        return " ".join(span.text.split())


def claims_of(formula: Formula) -> Iterator[Claim]:
    """The claims of a formula: one a line of it, and one a relation where commas separate several."""
    if formula.error is not None:
        yield Claim(formula.source, _whole(formula.source), error=formula.error, words=formula.words, cell=formula.cell)
        return
    words = formula.words
    source, named = without_equations_at_braces(_without_reasons(_without_mark(formula.source)))
    for equation in named:
        yield from _of_source(equation, False, "", formula.cell)
    for claim in _of_source(source, formula.lines, words, formula.cell):
        yield claim
        words = ""


_SIGN = re.compile(
    r"\s*(?:\\begin\{(?:aligned|split|align\*?)\}\s*)?&?\s*(?:=|<|>|≤|≥|≈|\\(?:leq?|geq?|approx|equiv)(?![A-Za-z]))"
)


def going_on(formula: Formula, before: Claim) -> list[Claim]:
    """The claims of a formula whose left side is the last one of the equation before it; none where it is no such formula."""
    return _continued(_without_mark(formula.source), formula.lines, formula.words, formula.cell, before)


def _continued(source: Source, lines: bool, words: str, cell: int | None, before: Claim) -> list[Claim]:
    sign = _SIGN.match(source.text)
    if sign is None or not isinstance(before.surface, s.Relation) or before.error is not None:
        return []
    at = len(sign.group().rstrip("=<>≤≥≈&").rstrip())
    text = f"{source.text[:at]} 1 {source.text[at:]}"
    places = [*range(at), at, at, at, *range(at, len(source.text) + 1)]
    claims = list(_of_source(Source(text, source.name, 0, source, places), lines, words, cell))
    surface = claims[0].surface if claims else None
    if not isinstance(surface, s.Relation):
        return []
    whole = s.Relation(surface.operators, (before.surface.items[-1], *surface.items[1:]), span=surface.span)
    return [replace(claims[0], surface=whole, span=_whole(source), source=source), *claims[1:]]


_ASIDE = re.compile(
    r"\\(?:text|textrm|textit|mbox)\s*\{((?:[^{}]|\{[^{}]*\})*)\}(?=[\s.,;]*(?:\\\\|\\end\s*\{|\\(?:eqref|tag|label|nonumber)|&|\Z))"
)
_SET_OFF = re.compile(r"(?:&|\\q?quad|\\hfill|\\hspace\*?\s*\{[^{}]*\}|\\[,;: ]|~)\s*\Z")
_REFERENCE = re.compile(r"\\(?:eq|c|C|auto)?ref\s*\{[^{}]*\}")


def _without_reasons(source: Source) -> Source:
    """A text in which blanks stand for the reasons at the ends of its lines: ``&& \\text{(chain rule)}``."""

    def blank(found: re.Match[str]) -> str:
        before = source.text[max(0, found.start() - 40) : found.start()]
        return " " * len(found[0]) if _SET_OFF.search(before) and _tells_why(found[1]) else found[0]

    text = _ASIDE.sub(blank, source.text)
    return source if text == source.text else Source(text, source.name, 0, source, range(len(text) + 1))


def _tells_why(words: str) -> bool:
    """Whether words say why an equation holds, and not when."""
    said = _REFERENCE.sub("1", words).strip(" .,;:").lower()
    return _REASON.fullmatch(said) is not None and _QUALIFIES.search(said) is None


def _without_mark(source: Source) -> Source:
    """A text without the mark that ends its sentence."""
    text = source.text.rstrip()
    return source.part(0, len(text) - 1) if text.endswith(("!", "?")) else source


def _of_source(source: Source, lines: bool, words: str, cell: int | None) -> Iterator[Claim]:
    if tells_cases(source.text):
        for row in _rows(source, lines) or [source]:
            yield from (
                _of_cases(row, lines, words, cell) if tells_cases(row.text) else _of_source(row, lines, words, cell)
            )
            words = ""
        return
    try:
        parsed = parse_lines(source, newlines=lines)
    except ChainInterrupted as error:
        yield from _line_by_line(source, lines, words, cell, error)
        return
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


def _line_by_line(source: Source, lines: bool, words: str, cell: int | None, error: ParseError) -> Iterator[Claim]:
    """The claims of lines with something beside each: one that goes on with the equation above is a claim of its own, since a
    condition belongs to its line.
    """
    rows = _rows(source, lines, together=_ADDS)
    if len(rows) < 2:
        yield Claim(source, _whole(source), error=error, words=words, cell=cell)
        return
    before: list[Claim] = []
    for row in rows:
        if _SIGN.match(row.text) is None or not before:
            found = list(_of_source(row, lines, words, cell))
        else:
            found = _continued(row, lines, words, cell, before[0]) if len(before) == 1 else []
            unsaid = not found or (before[0].conditions and not found[0].conditions)
            unread = [Claim(row, _whole(row), error=error, words=words, cell=cell)]
            found = unread if unsaid else [replace(one, continues=True) for one in found]
        yield from found
        before, words = found, ""


def _of_cases(source: Source, lines: bool, words: str, cell: int | None) -> Iterator[Claim]:
    """One claim for each case."""
    try:
        cases = list(apart(source))
    except BpttError as error:
        yield Claim(source, _whole(source), error=error, words=words, cell=cell)
        return
    for case in cases:
        first, *others = list(_of_source(case, lines, words, cell)) or [Claim(case, _whole(case), cell=cell)]
        words = ""
        if first.error is None and (others or not first.conditions):
            where = others[0].span if others else first.span
            unsaid = ParseError("this case does not say at which times it holds", span=where, expected="such as t < T")
            first = replace(first, error=unsaid)
        yield first


def _is_prose(text: str) -> bool:
    """Whether a line of a text without marks is words: it relates nothing."""
    return _RELATION.search(text) is None


def _whole(source: Source) -> Span:
    text = source.text
    start = len(text) - len(text.lstrip())
    return Span(start, max(start + 1, len(text.rstrip())), source)


def _inside(source: Source) -> Source:
    """What stands in the environment of lines that a text is: ``\\begin{aligned} ... \\end{aligned}``."""
    begin, end = _ENVIRONMENT.match(source.text), _ENDED.search(source.text)
    if begin is None or end is None or begin[1] != end[1] or begin.end() > end.start():
        return source
    depth = 0
    for mark in _BORDER.finditer(source.text, begin.end(), end.start()):
        depth += 1 if mark.group().startswith("\\begin") else -1
        if depth < 0:
            return source
    return source.part(begin.end(), end.start()) if depth == 0 else source


def _rows(source: Source, lines: bool, together: re.Pattern[str] | None = None) -> list[Source]:
    """The lines of a display or a text, each with those that continue it, which begin as the pattern says."""
    together = together or _GOES_ON
    whole = source
    for _ in range(MOST_NESTED):
        source = _inside(source)
    text = source.text
    cuts, depth, at = [0], 0, 0
    pattern = re.compile(_ROW.pattern + r"|\n\s*" if lines else _ROW.pattern)
    for match in pattern.finditer(text):
        piece = match.group()
        if piece.startswith("\\begin"):
            depth += 1
        elif piece.startswith("\\end"):
            depth -= 1
        elif not piece.startswith("%") and depth <= 0 and match.start() >= at:
            if not together.match(text, match.end()):
                cuts.append(match.end())
            at = match.end()
    cuts.append(len(text))
    pieces = [(a, b) for a, b in pairwise(cuts) if text[a:b].strip()]
    if pieces == [(0, len(text))]:
        return [] if source is whole else [source]
    return [source.part(a, b) for a, b in pieces]


def _of_line(line: s.Line, source: Source, words: str, cell: int | None) -> Iterator[Claim]:
    """One claim for each equation of a line; conditions belong to the equation before them. What stands beside an equation
    and is not read, formulas or words, may change what it means: the equation is not read either.
    """
    equations: list[tuple[s.Surface, list[s.Relation], str]] = []
    waiting: list[s.Surface] = []
    beside: s.Surface | None = None
    for item in _implied(spread(line.items)):
        if isinstance(item, s.Text):
            words += f" {item.text}"
            said = item.text.strip(" .,;:").lower()
            told = said in _CONNECTIVES or _NUMBER.fullmatch(said) or _tells_why(item.text)
            beside = beside or (None if told else item)
        elif isinstance(item, s.Name) and item.text in CONVENTIONAL_INDICES and equations:
            continue  # for all t
        elif not isinstance(item, s.Relation):
            waiting.append(item)
        elif is_condition(item) and equations and not waiting:
            equations[-1][1].append(item)
        else:
            if item.operators == ("in",) and waiting:
                equations.append((s.Line((*waiting, item), span=_joined((*waiting, item))), [], words))
                waiting = []
            else:
                equations.append((item, [], words))
            words = ""
    if equations and (waiting or beside is not None):
        beside = beside or waiting[0]
    error = None
    if beside is not None and equations:
        error = ParseError(
            "what stands beside the equation is not read", span=beside.span, expected="one equation, or words outside"
        )
    for surface, conditions, before in equations:
        span = _widened(surface.span or _whole(source))
        yield Claim(source, span, surface, error, tuple(conditions), before, cell=cell)
    if not equations and waiting:
        yield Claim(source, _widened(_joined(waiting) or _whole(source)), waiting[0], None, (), words, cell=cell)


def _implied(items: Iterable[s.Surface]) -> Iterator[s.Surface]:
    """The parts of a line, with what stands on the two sides of ⇒ as equations of their own."""
    for item in items:
        if not isinstance(item, s.Relation) or "=>" not in item.operators:
            yield item
            continue
        start = 0
        for k, sign in enumerate((*item.operators, "=>")):
            if sign == "=>":
                parts = item.items[start : k + 1]
                whole = s.Relation(item.operators[start:k], parts, span=_joined(parts)) if len(parts) > 1 else parts[0]
                yield whole
                start = k + 1


_REASON = re.compile(
    r"\(?(?:by|using|from|via|nach|mit|wegen|because of|chain rule|product rule|kettenregel|produktregel|definition)\b[\w\s'’().,~-]*\)?"
)
"""Words beside an equation that say why it holds."""
_QUALIFIES = re.compile(r"\b(?:if|for|when|except|unless|only|not|where|assum\w*|für|wenn|falls|nur|außer|nicht)\b")


_CONNECTIVES = frozenset(
    """
    and where with for if when then so thus hence therefore let since because as also now finally or on by i.e e.g all every each any
    und wobei mit für wenn falls dann also daher somit sei da at
    """.split()
) | {
    "",
    "else if",
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


_OPENED = re.compile(r"(?:\\[A-Za-z]+\s*\{|\\(?:left|[bB]igg?[lrm]?)\s*)+\Z")


def _widened(span: Span) -> Span:
    """A place with the command that it starts in, as in \\mathbf{z}_t, and the brace that it ends before."""
    text, start, end = span.source.text, span.start, span.end
    opened = _OPENED.search(text, max(0, start - 60), start)
    if opened is not None:
        start = opened.start()
    while text[end : end + 1] == "}" and text.count("{", start, end) > text.count("}", start, end):
        end += 1
    return Span(start, end, span.source)


def _joined(items: Sequence[s.Surface]) -> Span | None:
    first, last = items[0].span, items[-1].span
    return first.to(last) if first is not None and last is not None else None


__all__ = ["MAX_CLAIMS", "Claim", "claims_of", "going_on"]
