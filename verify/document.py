"""Where the formulas of a document are: displays of LaTeX and Markdown, cells of a notebook, or a text that is all formulas.

Nothing of a document is run, and no file that it names is read. What is found knows its place in the text that the user wrote.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice

from derive.errors import ParseError, UsageError
from derive.notation.source import Source, Span
from verify.hidden import body_start, is_latex, without_hidden
from verify.macros import Macro, group_end, without_macros

MAX_FORMULAS = 2_000
"""The most formulas of a document."""
MAX_LINES = 5_000
"""The most lines of a text without marks, in which every line may be a formula."""

DISPLAYS = frozenset(
    """
    equation align gather multline eqnarray displaymath flalign alignat dmath darray IEEEeqnarray
    """.split()
)
"""Environments that display formulas."""
_INLINE = frozenset({"math"})
_VERBATIM = frozenset({"verbatim", "Verbatim", "lstlisting", "minted", "comment", "filecontents", "tikzpicture"})
_CELLS = frozenset({"math", "latex", "tex"})
"""Fences of Markdown that hold formulas."""

_MARK = re.compile(
    r"""
      (?P<comment>%[^\n]*)
    | (?P<fence>^[ \t]*(?P<ticks>`{3,}|~{3,})[ \t]*(?P<word>[\w+-]*)[^\n]*(?:\n|\Z))
    | (?P<environment>\\begin[ \t]*\{[ \t]*(?P<name>[A-Za-z]+)(?P<star>\*?)[ \t]*\})
    | (?P<verb>\\verb\*?(?P<stroke>[^A-Za-z\s*]))
    | (?P<bracket>\\\[)
    | (?P<paren>\\\()
    | (?P<pair>\\(?:[^A-Za-z]|[A-Za-z]+))
    | (?P<dollars>\$\$)
    | (?P<dollar>\$)
    | (?P<code>(?<!`)`(?!`))
    """,
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)


_INTERTEXT = re.compile(r"\\(?:short)?intertext\s*\{")
_DOLLAR = re.compile(r"(?<!\\)\$")
_DISPLAY = re.compile(rf"\\\[|\\begin\s*\{{\s*(?:{'|'.join(sorted(DISPLAYS))})\*?\s*\}}")
_PRICE = re.compile(r"\d[\d.,]*(?:\s*(?:k|m|bn|million|billion)(?![A-Za-z]))?(?=[\s,.;:!?)/-]|\Z)", re.IGNORECASE)
_WORDS = re.compile(r"(?<![\\{A-Za-z])[A-Za-zÄÖÜäöüß]{2,}(?![A-Za-z]*[({])")
_TEX = re.compile(r"\\[A-Za-z]+|[_^]\{")

_AFTER = 80
"""So many characters behind a formula are looked at."""
_SKELETON = re.compile(r"\\documentclass\b|\\begin\s*\{document\}|^#{1,6} ", re.MULTILINE)
"""What a text that is all formulas does not have."""


@dataclass(frozen=True)
class Formula:
    """A stretch of mathematics in a document.

    Parameters
    ----------
    source : its text, which knows its place.
    words  : the text between the formula before and this one.
    after  : the first characters of the text behind it.
    inline : whether it stands within a line.
    lines  : whether each line of it is a formula of its own.
    cell   : the number of the notebook's cell that it stands in, from 1.
    error  : why it cannot be read at all.
    """

    source: Source
    words: str = ""
    after: str = ""
    inline: bool = False
    lines: bool = False
    cell: int | None = None
    error: ParseError | None = field(default=None, compare=False)


def formulas_of(source: Source) -> tuple[Formula, ...]:
    """Every formula of a document, in its order.

    Raises
    ------
    UsageError : the document is a damaged notebook, or holds too many formulas.
    """
    found: list[Formula] = []
    for formula in _of_notebook(source) if _is_notebook(source) else _of_text(source, None):
        found.append(formula)
        if len(found) > MAX_FORMULAS:
            raise UsageError(f"the document holds more than {MAX_FORMULAS:,} formulas", hint="is this the right file?")
    return tuple(found)


# -- notebooks -------------------------------------------------------------------------------------


def _is_notebook(source: Source) -> bool:
    return source.name.endswith(".ipynb") or bool(re.match(r'\s*\{\s*"(cells|metadata|nbformat)"', source.text))


def _of_notebook(source: Source) -> Iterator[Formula]:
    """Formulas in the cells of text; lines are counted within a cell."""
    expected = "a notebook in JSON, with a list of cells"
    try:
        cells = json.loads(source.text)["cells"]
        texts = [(number, cell["source"]) for number, cell in enumerate(cells, 1) if cell["cell_type"] == "markdown"]
        joined = [(number, text if isinstance(text, str) else "".join(text)) for number, text in texts]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(f"{source.name} is no notebook: {error}", expected=expected) from None
    macros: dict[str, Macro] = {}
    for number, text in joined:
        yield from _of_text(Source(text, f"{source.name}, cell {number}"), number, macros)


# -- texts -----------------------------------------------------------------------------------------


def _of_text(source: Source, cell: int | None, macros: dict[str, Macro] | None = None) -> Iterator[Formula]:
    source = without_macros(without_hidden(source, _may_have_comments(source)), macros)
    found = list(islice(_Scanner(source, cell).formulas(), MAX_FORMULAS + 1))
    if not found and cell is None and not _SKELETON.search(source.text):
        if sum(map(bool, map(str.strip, source.text.splitlines()))) > MAX_LINES:
            raise UsageError(
                f"no formula is marked in more than {MAX_LINES:,} lines",
                expected="formulas between $ or $$, or in environments",
                hint="is this the right file?",
            )
        found = [Formula(source, lines=True)]
    yield from found


def _may_have_comments(source: Source) -> bool:
    """Whether a per cent sign begins a comment, in a text that does not say what it is: not in Markdown."""
    if re.search(r"\.(?:md|markdown|qmd|rmd|txt)\Z", source.name, re.IGNORECASE):
        return False
    return not re.search(r"^(?:```|~~~|#{1,6} |[ \t]*[-*] )", source.text, re.MULTILINE)


class _Scanner:
    """Goes through a text once."""

    def __init__(self, source: Source, cell: int | None) -> None:
        self.source, self.text, self.cell = source, source.text, cell
        self.latex = cell is None and is_latex(source.text)
        self.comments = self.latex or (cell is None and _may_have_comments(source))
        self.missing: set[str] = set()
        """Closing marks that the rest of the text does not have, so that no search runs over it twice."""
        self.since = body_start(self.text) if self.latex else 0
        self.paragraph = -1
        """Where the paragraph ends that was looked at last."""
        self.dollars: list[int] = []
        """The places of the dollars in it."""
        self.displays: list[tuple[int, int, int]] = []
        """The displays that words interrupt: where such words end, and where the display ends and the text goes on."""

    def formulas(self) -> Iterator[Formula]:
        """All formulas."""
        at = self.since
        while True:
            mark = _MARK.search(self.text, at)
            if self.displays and (mark is None or mark.start() >= self.displays[-1][0]):
                found, at = self._display_again()
                if found is not None:
                    yield replace(found, after=self.text[at : at + _AFTER])
                    self.since = at
                continue
            if mark is None:
                return
            kind = mark.lastgroup if mark.lastgroup in _KINDS else next(k for k in _KINDS if mark.group(k) is not None)
            found, at = getattr(self, f"_{kind}")(mark)
            if found is not None:
                yield replace(found, after=self.text[at : at + _AFTER])
                self.since = at

    # -- marks: each gives a formula, if it opens one, and where the scan goes on --------------------

    def _comment(self, mark: re.Match[str]) -> tuple[Formula | None, int]:
        share = not self.latex and self.text[mark.start() - 1 : mark.start()].isdigit()  # 100 % of a text
        return None, mark.end() if self.comments and not share else mark.start() + 1

    def _fence(self, mark: re.Match[str]) -> tuple[Formula | None, int]:
        if self.latex:
            return None, mark.end()
        close = re.compile(rf"^[ \t]*{re.escape(mark['ticks'])}[`~]*[ \t]*$", re.MULTILINE).search(
            self.text, mark.end()
        )
        end, after = (len(self.text), len(self.text)) if close is None else (close.start(), close.end())
        if mark["word"].lower() not in _CELLS:
            return None, after
        return self._formula(mark.start(), mark.end(), end, lines=True), after

    def _environment(self, mark: re.Match[str]) -> tuple[Formula | None, int]:
        name = mark["name"]
        if name not in DISPLAYS | _INLINE | _VERBATIM:
            return None, mark.end()
        close = re.compile(rf"\\end[ \t]*\{{[ \t]*{name}{re.escape(mark['star'])}[ \t]*\}}")
        found = None if name + mark["star"] in self.missing else close.search(self.text, mark.end())
        if found is None:
            self.missing.add(name + mark["star"])
            return (None, mark.end()) if name in _VERBATIM else self._open(mark, f"\\end{{{name}{mark['star']}}}")
        if name in _VERBATIM:
            return None, found.end()
        start = mark.end()
        if name in ("alignat", "IEEEeqnarray"):
            argument = re.compile(r"\s*\{[^{}]*\}").match(self.text, start)
            start = argument.end() if argument else start
        if name in _INLINE:
            return self._formula(mark.start(), start, found.start(), inline=True), found.end()
        return self._display(mark.start(), start, found.start(), found.end())

    def _display(self, mark: int, start: int, end: int, after: int) -> tuple[Formula | None, int]:
        """A display, up to words between its lines: ``\\intertext{...}``."""
        words = _INTERTEXT.search(self.text, start, end)
        if words is None:
            return self._formula(mark, start, end), after
        close = group_end(self.text, words.end() - 1, end)
        if close is None:
            return self._open(words, "}")[0], after
        self.displays.append((close - 1, end, after))
        return self._formula(mark, start, words.start()), words.end()

    def _display_again(self) -> tuple[Formula | None, int]:
        """The rest of a display behind words between its lines."""
        close, end, after = self.displays.pop()
        return self._display(close, close + 1, end, after)

    def _verb(self, mark: re.Match[str]) -> tuple[Formula | None, int]:
        end = self.text.find(mark["stroke"], mark.end())
        line = self.text.find("\n", mark.end())
        return None, mark.end() if end < 0 or -1 < line < end else end + 1

    def _bracket(self, mark: re.Match[str]) -> tuple[Formula | None, int]:
        return self._until(mark, "\\]")

    def _paren(self, mark: re.Match[str]) -> tuple[Formula | None, int]:
        return self._until(mark, "\\)", inline=True)

    def _pair(self, mark: re.Match[str]) -> tuple[Formula | None, int]:
        return None, mark.end()

    def _dollars(self, mark: re.Match[str]) -> tuple[Formula | None, int]:
        return self._until(mark, "$$")

    def _dollar(self, mark: re.Match[str]) -> tuple[Formula | None, int]:
        """``$...$`` within a paragraph; a dollar that no other follows there, or that begins a price, is none."""
        if mark.end() > self.paragraph:
            self.paragraph = self._end_of_paragraph(mark.end())
            self.dollars = [one.start() for one in _DOLLAR.finditer(self.text, mark.end(), self.paragraph)]
        close = _DOLLAR.search(self.text, mark.end(), self.paragraph)
        price = not self.latex and self._is_price(mark)
        if (
            close is not None
            and not self._is_display(mark.end(), close.start())
            and not (price and self._is_prose(mark.end(), close))
        ):
            return self._formula(mark.start(), mark.end(), close.start(), inline=True), close.end()
        if price or (close is None and not self._means_formula(mark.end())):
            return None, mark.end()
        return self._open(mark, "$")

    def _is_price(self, mark: re.Match[str]) -> bool:
        """Whether a number stands at a dollar: $5, or 5$."""
        behind = (
            self.text[mark.start() - 1 : mark.start()].isdigit()
            and not self.text[mark.end() : mark.end() + 1].isalnum()
        )
        return behind or _PRICE.match(self.text, mark.end()) is not None

    def _is_display(self, start: int, close: int) -> bool:
        """Whether a display begins before the dollar that would close this one, or with it."""
        if _DISPLAY.search(self.text, start, close):
            return True
        doubled = self.text.startswith("$$", close)
        return doubled and (len(self.dollars) - bisect_left(self.dollars, close)) % 2 == 0

    def _is_prose(self, start: int, close: re.Match[str]) -> bool:
        """Whether what stands between a price and another dollar is words."""
        between = self.text[start : close.start()]
        return (
            between[-1:].isspace()
            or between[-1:] == "("
            or self.text[close.end() : close.end() + 1].isdigit()
            or bool(_WORDS.search(between))
        )

    def _means_formula(self, start: int) -> bool:
        """Whether a dollar alone in its paragraph seems to open a formula: TeX stands behind it."""
        return self.latex or _TEX.search(self.text, start, self.paragraph) is not None

    def _end_of_paragraph(self, start: int) -> int:
        end = re.compile(r"\n\s*\n").search(self.text, start)
        return len(self.text) if end is None else end.start()

    def _code(self, mark: re.Match[str]) -> tuple[Formula | None, int]:
        line = self.text.find("\n", mark.end())
        end = self.text.find("`", mark.end(), len(self.text) if line < 0 else line)
        return None, mark.end() if end < 0 or self.latex else end + 1

    # -- formulas ------------------------------------------------------------------------------------

    def _until(self, mark: re.Match[str], closing: str, inline: bool = False) -> tuple[Formula | None, int]:
        end = -1 if closing in self.missing else self.text.find(closing, mark.end())
        if end < 0:
            self.missing.add(closing)
            return self._open(mark, closing)
        return self._formula(mark.start(), mark.end(), end, inline), end + len(closing)

    def _formula(self, mark: int, start: int, end: int, inline: bool = False, lines: bool = False) -> Formula | None:
        if not self.text[start:end].strip():
            return None
        words = self._words(mark)
        return Formula(self.source.part(start, end), words, inline=inline, lines=lines, cell=self.cell)

    def _open(self, mark: re.Match[str], closing: str) -> tuple[Formula, int]:
        place = Span(mark.start(), mark.end(), self.source)
        error = ParseError(f"'{mark.group()}' is never closed", span=place, expected=closing)
        source = self.source.part(mark.start(), mark.end())
        return Formula(source, self._words(mark.start()), cell=self.cell, error=error), mark.end()

    def _words(self, start: int) -> str:
        """The last words before a formula."""
        return self.text[max(self.since, start - 400) : start]


_KINDS = ("comment", "fence", "environment", "verb", "bracket", "paren", "pair", "dollars", "dollar", "code")

__all__ = ["Formula", "formulas_of"]
