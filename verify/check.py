"""Checking a document: one verdict for each displayed equation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from derive.cell import Cell
from derive.errors import BpttError, UsageError
from derive.notation import surface as s
from derive.notation.parser import parse_one
from derive.notation.references import ReferenceReader
from derive.notation.source import Source
from verify.claims import Claim, claims_of
from verify.document import formulas_of
from verify.formula import Subject, verdict_on
from verify.introduced import introduced
from verify.names import Definition, Names
from verify.verdict import Counterexample, Verdict

DRAWS = 8
"""How many random instances of the cell a formula is tried on."""
MAX_BYTES = 1_000_000
"""The longest document that is checked."""


@dataclass(frozen=True)
class Checked:
    """A displayed equation of a document, with its verdict.

    Parameters
    ----------
    line, column : where it stands, from 1; in the cell of a notebook where ``cell`` is its number.
    claim    : the equation as it is written.
    verdict  : ``correct``, ``layout`` (right if transposed), ``wrong``, ``unreadable`` or ``unsupported``.
    evidence : ``proved``, ``tested``, or ``definition``, where it only restates the cell or itself.
    reading  : how it had to be read, where it has several readings.
    message  : what is wrong with it, or why it is not decided.
    hint     : what to look at.
    counterexample : a point at which the two sides differ.
    links    : for a chain, the verdict on each of its links.
    """

    line: int
    column: int
    claim: str
    verdict: str
    evidence: str
    reading: str = ""
    message: str = ""
    hint: str = ""
    counterexample: Counterexample | None = None
    cell: int | None = None
    links: tuple[str, ...] = ()

    @property
    def accepted(self) -> bool:
        """Whether it is right, up to the layout."""
        return self.verdict in ("correct", "layout")

    def data(self) -> dict[str, Any]:
        """As JSON."""
        found: dict[str, Any] = {
            "line": self.line,
            "column": self.column,
            "claim": self.claim,
            "verdict": self.verdict,
            "evidence": self.evidence,
            "reading": self.reading,
            "message": self.message,
            "hint": self.hint,
            "counterexample": None if self.counterexample is None else self.counterexample.data(),
        }
        if self.links:
            found["links"] = list(self.links)
        if self.cell is not None:
            found["cell"] = self.cell
        return found


def check(
    text: str,
    cell: Cell | None = None,
    *,
    name: str = "<text>",
    aliases: Mapping[str, str] | Iterable[str] = (),
    inline: bool = False,
    draws: int = DRAWS,
) -> tuple[Checked, ...]:
    """Whether the equations of a document are true.

    Parameters
    ----------
    text    : LaTeX with or without a preamble, Markdown, a notebook, or equations alone.
    cell    : what it is about; without one, the equations of the document that define quantities are the cell.
    name    : what the document is called in messages; its ending says whether it is a notebook.
    aliases : the author's names for quantities, ``{"g_t": "\\\\delta_t"}`` or ``["g_t=\\\\delta_t"]``.
    inline  : whether formulas within lines are checked as well.
    draws   : how many random instances are tried.

    Raises
    ------
    UsageError : an alias cannot be read, the document is a damaged notebook, or there is no cell.

    >>> from derive.cell import cell
    >>> rnn = cell("h_t = \\\\sigma(W h_{t-1} + U x_t)")
    >>> [v.verdict for v in check("$$\\\\frac{\\\\partial h_t}{\\\\partial h_{t-1}} = W$$", rnn)]
    ['wrong']
    """
    if not isinstance(text, str):
        raise UsageError(f"a document is text, not {type(text).__name__}")
    if len(text) > MAX_BYTES:
        raise UsageError(f"the document has more than {MAX_BYTES:,} characters", hint="is this the right file?")
    source = Source(text, name)
    formulas = formulas_of(source)
    shown = [formula for formula in formulas if inline or not formula.inline]
    claims = [claim for formula in shown for claim in claims_of(formula)]
    if cell is None:
        raise UsageError("there is no cell", hint="name one with --cell")
    names = Names(cell).with_definitions(_aliases(Names(cell), aliases))
    names = introduced(names, [claim for formula in formulas for claim in claims_of(formula)])
    return tuple(_checked(claim, names, draws) for claim in claims)


def _aliases(names: Names, aliases: Mapping[str, str] | Iterable[str]) -> Sequence[Definition]:
    given = aliases.items() if isinstance(aliases, Mapping) else [_split(text) for text in aliases]
    found = []
    for left, right in given:
        try:
            surface = parse_one(f"{left} = {right}").items[0]
            definition = names.defined(surface)
        except BpttError as error:
            raise UsageError(f"the alias {left}={right} cannot be read: {error.message}") from None
        if definition is None:
            raise UsageError(f"the alias {left}={right} does not name a quantity", expected="such as g_t=\\delta_t")
        found.append(definition)
    return found


def _split(text: str) -> tuple[str, str]:
    left, sign, right = text.partition("=")
    if not sign:
        raise UsageError(f"{text!r} is no alias", expected="NAME=FORMULA, such as g_t=\\delta_t")
    return left, right


def _checked(claim: Claim, names: Names, draws: int) -> Checked:
    verdict = _verdict(claim, names, draws)
    place = claim.span if verdict.error_at is None else verdict.error_at
    message = verdict.message
    if verdict.verdict == "wrong" and not message:
        message = "the two sides differ"
    del place
    return Checked(
        claim.span.line,
        claim.span.column,
        claim.text,
        verdict.verdict,
        verdict.evidence,
        verdict.reading,
        message,
        verdict.hint,
        verdict.counterexample,
        claim.cell,
        tuple(link.verdict for link in verdict.links),
    )


def _verdict(claim: Claim, names: Names, draws: int) -> Verdict:
    if claim.surface is None or claim.error is not None:
        error = claim.error
        message = "" if error is None else error.message
        return Verdict("unreadable", "tested", message=message, hint=(error and error.hint) or "")
    conditions = []
    reader = ReferenceReader(names.context.scope)
    for relation in claim.conditions:
        if relation.operators == ("in",):
            continue
        values = [reader.index_or_none(item) for item in relation.items]
        for sign, a, b in zip(relation.operators, values, values[1:], strict=False):
            if a is not None and b is not None:
                conditions.append((sign, a, b))
    subject = Subject(names, draws, conditions=tuple(conditions))
    return verdict_on(names, claim.surface, subject.decide)


__all__ = ["Checked", "check"]
