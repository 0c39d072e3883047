"""Checking a document: one verdict for each displayed equation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from derive.cell import Cell
from derive.errors import BpttError, ParseError, UsageError
from derive.notation import surface as s
from derive.notation.names import QName
from derive.notation.parser import parse_one
from derive.notation.source import Source
from verify.announced import named_on_the_left, namings
from verify.asides import Asides
from verify.checked import Checked
from verify.checker import UNREAD, Checker, given
from verify.claims import Claim
from verify.conditions import conditions_of, narrows
from verify.conventions import Definition
from verify.document import Formula, formulas_of
from verify.doubts import doubts
from verify.function_names import with_functions
from verify.introduced import introduced, times_of
from verify.limits import TooLong, limited
from verify.losses import with_loss
from verify.meanings import with_meanings
from verify.mentions import mentions
from verify.names import Names
from verify.own_cell import own_cell
from verify.require import Answer, Result, Wanted, results
from verify.sentences import all_claims
from verify.spellings import clashing, with_adjoints, with_own_names, with_sums
from verify.usual import usual_meanings
from verify.values import Values

DRAWS = 8
"""How many random instances of the cell a formula is tried on."""
SECONDS_TO_READ = 8
"""How long it may take to find the definitions of a document."""
MAX_BYTES = 1_000_000
"""The longest document that is checked."""


def check(
    text: str,
    cell: Cell | None = None,
    *,
    name: str = "<text>",
    aliases: Mapping[str, str] | Iterable[str] = (),
    inline: bool = False,
    draws: int = DRAWS,
    explained: bool = True,
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
    explained : whether it is looked for what is wrong with a wrong equation, which takes up to a few seconds.

    Raises
    ------
    UsageError : an alias cannot be read, the document is a damaged notebook, or there is no cell.

    >>> from derive.cell import cell
    >>> rnn = cell("h_t = \\\\sigma(W h_{t-1} + U x_t)")
    >>> [v.verdict for v in check("$$\\\\frac{\\\\partial h_t}{\\\\partial h_{t-1}} = W$$", rnn)]
    ['wrong']
    """
    return checked(text, cell, name=name, aliases=aliases, inline=inline, draws=draws, explained=explained).equations


@dataclass(frozen=True)
class CheckedDocument:
    """The equations of a document with their verdicts, and the names that they are about."""

    equations: tuple[Checked, ...]
    names: Names
    narrowed: tuple[bool, ...]
    """Whether an equation is meant for some times or one length alone."""
    usual: tuple[str, ...] = ()
    """What letters for derivatives were taken for, of which no equation of the document says it: ``\\delta_t = \\nabla_{z_t} L``."""

    def results(self, wanted: Iterable[Wanted]) -> tuple[Result, ...]:
        """How far the document has what a marker wants."""
        answers = [
            Answer(one.surface, one.found or UNREAD, one.line, narrowed)
            for one, narrowed in zip(self.equations, self.narrowed, strict=True)
        ]
        return results(wanted, answers, self.names)


def checked(
    text: str,
    cell: Cell | None = None,
    *,
    name: str = "<text>",
    aliases: Mapping[str, str] | Iterable[str] = (),
    inline: bool = False,
    draws: int = DRAWS,
    explained: bool = True,
) -> CheckedDocument:
    """A document with its verdicts; see :func:`check`."""
    if not isinstance(text, str):
        raise UsageError(f"a document is text, not {type(text).__name__}")
    if len(text) > MAX_BYTES:
        raise UsageError(f"the document has more than {MAX_BYTES:,} characters", hint="is this the right file?")
    formulas = formulas_of(Source(text, name))
    quantities = () if cell is None else (*cell.parameters, *cell.inputs)
    found = with_functions(all_claims(formulas, quantities))
    try:
        with limited(SECONDS_TO_READ):
            subject = (
                own_cell([claim for formula, claim in found if inline or not formula.inline]) if cell is None else cell
            )
            names = Names(subject).with_definitions(_aliases(Names(subject), aliases))
            reading = _read(found, names, draws)
            claims = [
                claim
                for (formula, _), claim in zip(found, reading.claims, strict=False)
                if inline or not formula.inline
            ]
            checker, taken, names = reading.checker, reading.taken, reading.checker.names
            said = [named_on_the_left(claim) for claim in reading.claims]
            doubtful = doubts(names, said, taken, lambda claim: checker.checked(claim).verdict)
    except (TooLong, MemoryError, RecursionError):
        raise UsageError(
            "the definitions of the document are too many or too deep to be read", hint="name its cell with --cell"
        ) from None
    checker = replace(checker, explained=explained, doubts=doubtful)
    used = {id(claim) for claim in taken}
    equations = [given(claim) if id(claim) in used else checker.checked(claim) for claim in claims]
    narrowed = (
        narrows(conditions_of(claim, names), claim, names) or (one.found is not None and one.found.one_length)
        for claim, one in zip(claims, equations, strict=True)
    )
    judged = [claim for claim, one in zip(claims, equations, strict=True) if one.accepted or one.verdict == "wrong"]
    return CheckedDocument(
        tuple(equations), names, tuple(narrowed), tuple(usual_meanings(judged, reading.claims, names))
    )


@dataclass(frozen=True)
class _Reading:
    """The claims of a document as they are read, and behind them those that words make; what they are checked with; and those of them that
    give numbers.
    """

    claims: list[Claim]
    checker: Checker
    taken: list[Claim]


def _read(found: Sequence[tuple[Formula, Claim]], names: Names, draws: int) -> _Reading:
    """What a document says: its claims in the notation's own spellings, with the names that it introduces."""
    claims = with_sums(with_loss(found, names), names)
    claims, adjoints = with_adjoints(claims, introduced(names, claims))
    names = names.with_definitions(adjoints)
    loss = QName.from_key(names.system.loss_name).surface()
    claims += namings([(formula, claim) for (formula, _), claim in zip(found, claims, strict=True)], loss)
    known = introduced(names, claims)
    keys = clashing(known)
    if keys:
        claims = with_own_names(claims, known, keys)
        known = introduced(names, claims)
    checker, taken = _checker(known, claims, draws)
    known, renamed, meanings = with_meanings(known, claims, checker.holds)
    if meanings:
        claims = list(renamed)
        known = introduced(known, claims)
        checker, taken = _checker(known, claims, draws)
    claims += mentions(found, claims, known)
    return _Reading(claims, replace(checker, meanings=meanings), taken)


def _checker(names: Names, claims: Sequence[Claim], draws: int) -> tuple[Checker, list[Claim]]:
    """What every equation is checked with, and the claims that give numbers."""
    values = Values(names)
    taken = [claim for claim in claims if values.take(claim)]
    return Checker(names, values, Asides(names, claims), tuple(claims), draws), taken


def _aliases(names: Names, aliases: Mapping[str, str] | Iterable[str]) -> Sequence[Definition]:
    given = aliases.items() if isinstance(aliases, Mapping) else [_split(text) for text in aliases]
    found: list[Definition] = []
    for left, right in given:
        try:
            surface = parse_one(f"{left} = {right}").items[0]
            if not isinstance(surface, s.Relation) or len(surface.items) != 2:
                raise ParseError("it is no equation")
            defined = names.defined([surface], times_of([surface], names))
            if any(one.key in names.system.shapes for one in defined):
                raise ParseError("it is a quantity of the cell")
            found += defined
        except BpttError as error:
            raise UsageError(
                f"the alias {left}={right} cannot be read: {error.message}", expected="such as g_t=\\delta_t"
            ) from None
    return found


def _split(text: str) -> tuple[str, str]:
    left, sign, right = text.partition("=")
    if not sign:
        raise UsageError(f"{text!r} is no alias", expected="NAME=FORMULA, such as g_t=\\delta_t")
    return left, right


__all__ = ["Checked", "CheckedDocument", "check", "checked"]
