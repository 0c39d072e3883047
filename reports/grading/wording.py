"""What is said of a formula, as sentences: formulas that the words hold are typeset, as those beside them are."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

import numpy as np

from derive.errors import BpttError, visible
from derive.notation import surface as s
from derive.notation.elaborate import read_formula
from derive.notation.parser import parse_one
from derive.notation.present import present
from derive.notation.vocabulary import GREEK
from numeric.functions import Array
from reports import document as d
from reports.tex_characters import PLAIN, SPECIAL
from verify.verdict import Counterexample

LARGEST = 3
"""Matrices with more rows or columns are not shown."""

_QUOTED = re.compile(r"(?<![^\s(])'([^']+)'(?=[\s.,;:?!)]|$)")
_SPELLED = re.compile(r"[A-Za-z]+(?:[-’'][A-Za-z]+)*")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_SECONDS = re.compile(r"[\d.]+ s")
_AROUND = '.,;:?!()"“”…'
_END = (".", "?", "!", "…")


def sentence(text: str) -> d.Inlines:
    """A message or a hint as a sentence, with its formulas typeset; a capital letter is no formula's."""
    pieces = list(_joined(_pieces(visible(text))))
    if pieces and isinstance(pieces[0], d.Text):
        pieces[0] = d.Text(_capital(pieces[0].text))
    closed = not pieces or (isinstance(pieces[-1], d.Text) and pieces[-1].text.endswith(_END))
    return _joined(iter([*pieces, d.Text("" if closed else ".")]))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def looked_at(hint: str) -> d.Inlines:
    """The first hint: where to look, with the author's own LaTeX after the place."""
    where, colon, written = hint.partition(": ")
    if not colon:
        return sentence(hint)
    return (*d.words(f"{_capital(where)}: "), _formula(visible(written), own=True), *d.words("."))


def title(text: str) -> d.Inlines:
    """A name of a file; signs that fonts do not have, such as faces, are named."""
    return d.words("".join(_named(char) for char in visible(text)))


def point(found: Counterexample) -> tuple[d.Block, ...]:
    """A point at which two sides differ, with both of them where they are small."""
    where = [f"{name} = {value}" for name, value in {**found.sizes, **found.times}.items()]
    places = [piece for one in where for piece in (_formula(one, own=True), *d.words(", "))][:-1]
    small = all(max(np.shape(side), default=0) <= LARGEST for side in (found.left, found.right))
    said = "the left side is not the right side:" if small else "the two sides differ."
    start = (*d.words("At "), *places, *d.words(f" {said}")) if places else d.words(_capital(said))
    if not small:
        return (d.Paragraph(start),)
    shown = s.Relation(("!=",), (_matrix(found.left), _matrix(found.right)))
    return (d.Paragraph(start), d.Display(shown))


# -- formulas in sentences -----------------------------------------------------------------------------


def _pieces(text: str) -> Iterator[d.Inline]:
    at = 0
    for quoted in _QUOTED.finditer(text):
        yield from _unquoted(text[at : quoted.start()])
        yield _formula(quoted[1])
        at = quoted.end()
    yield from _unquoted(text[at:])


def _joined(pieces: Iterator[d.Inline]) -> d.Inlines:
    """Words side by side as one piece."""
    found: list[d.Inline] = []
    for piece in pieces:
        if found and isinstance(piece, d.Text) and isinstance(found[-1], d.Text):
            piece = d.Text(found.pop().text + piece.text)  # type: ignore[union-attr]
        if piece != d.Text(""):
            found.append(piece)
    return tuple(found)


def _unquoted(text: str) -> Iterator[d.Inline]:
    """Words, and the stretches between them that are no words."""
    run = ""
    for word in re.findall(r"\S+\s*|\s+", text):
        if _is_word(word.strip()):
            yield from _stretch(run)
            run = ""
            yield d.Text(word)
        else:
            run += word
    yield from _stretch(run)


def _is_word(text: str) -> bool:
    bare = text.strip(_AROUND)
    if len(bare) == 1:
        return bare == "a"
    return not bare or bool(_SPELLED.fullmatch(bare) and bare not in GREEK)


def _stretch(text: str) -> Iterator[d.Inline]:
    """A formula with the punctuation around it; numbers alone are words."""
    formula = text.strip()
    before, after = "", ""
    while formula and (formula[-1] in ".,;:?!" or (formula[-1] == ")" and formula.count(")") > formula.count("("))):
        formula, after = formula[:-1], formula[-1] + after
    while formula.startswith("(") and formula.count("(") > formula.count(")"):
        formula, before = formula[1:], before + "("
    numbers = _SECONDS.fullmatch(formula) or all(_NUMBER.fullmatch(part.strip(_AROUND)) for part in formula.split())
    if numbers or not any(char.isalnum() for char in formula):
        yield d.Text(text)
        return
    space = text[len(text.rstrip()) :]
    yield from d.words(before)
    yield _formula(formula)
    yield from d.words(after + space)


def _formula(text: str, own: bool = False) -> d.Inline:
    """A formula typeset, or as it is written where that cannot be; ``own``: it is written by the author, in LaTeX."""
    if "\\" in text and not own:
        return d.CodeSpan(text)
    try:
        if " x " in text and not own:  # the sizes of a matrix
            sizes = tuple(parse_one(size).items[0] for size in text.split(" x "))
            return d.Math(s.Infix(("times",) * (len(sizes) - 1), sizes))
        return d.Math(parse_one(text).items[0] if own else present(read_formula(text)))
    except BpttError:
        return d.CodeSpan(text)


# -- numbers -------------------------------------------------------------------------------------------


def _matrix(value: Array) -> s.Surface:
    numbers = np.real(np.asarray(value))
    if numbers.size == 1:
        return _number(float(numbers.ravel()[0]))
    rows = numbers.reshape(-1, 1) if numbers.ndim == 1 else numbers
    return s.Matrix(tuple(tuple(_number(float(entry)) for entry in row) for row in rows))


def _number(value: float) -> s.Surface:
    if not np.isfinite(value):
        return s.Text(f"{value}")
    digits, _, exponent = f"{abs(value):.3g}".partition("e")
    shown: s.Surface = s.Number(digits)
    if exponent:
        power = s.Number(str(abs(int(exponent))))
        signed = s.Sum((-1,), (power,)) if int(exponent) < 0 else power
        shown = s.Infix(("cdot",), (shown, s.Scripted(s.Number("10"), sups=(signed,))))
    return s.Sum((-1,), (shown,)) if value < 0 else shown


def _named(char: str) -> str:
    if char in PLAIN or char in SPECIAL or unicodedata.category(char)[0] in "LN":
        return char
    if unicodedata.category(char)[0] == "M":
        return ""
    return f"({unicodedata.name(char, 'a sign').lower()})"


__all__ = ["looked_at", "point", "sentence", "title"]
