"""Reading one input: its formulas, its macros, its names, and what each formula means; nothing is judged."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

import bptt
from benchmarks.fuzz import watch
from benchmarks.fuzz.attempt import Counts, ended
from benchmarks.fuzz.cases import Case, Outcome
from benchmarks.fuzz.impossible import is_place
from derive import expressions as e
from derive.notation import surface as s
from derive.notation.references import ReferenceReader
from derive.notation.source import Source
from verify.claims import Claim, claims_of
from verify.document import formulas_of
from verify.formula import verdict_on
from verify.introduced import introduced
from verify.names import Names
from verify.own_cell import own_cell
from verify.values import Values
from verify.verdict import Verdict

READ = Verdict("read", "tested")
"""The verdict on whatever is an equation with a meaning."""


def read(given: Case, seconds: float = 10.0) -> Outcome:
    """Read one input."""

    def tried() -> tuple[Counts, str]:
        with watch.limited(seconds):
            return _read(given)

    return ended(tried)


def _read(given: Case) -> tuple[Counts, str]:
    """How often each verdict would be given without a judge, and what is impossible about a place."""
    names = None if given.cell is None else _names(given.cell)
    claims = [claim for formula in formulas_of(Source(given.text, given.name)) for claim in claims_of(formula)]
    try:
        names = introduced(Names(own_cell(claims)) if names is None else names, claims)
        values = Values(names)
        gifts = {id(claim) for claim in claims if values.take(claim)}
    except (MemoryError, RecursionError):
        return Counts(refused=1), ""
    for claim in claims:
        if not is_place(given, claim.span.line, claim.span.column):
            return Counts(), f"the place is {claim.span.line}:{claim.span.column}"
    return Counter("given" if id(claim) in gifts else _verdict(claim, names) for claim in claims), ""


@lru_cache(maxsize=50)
def _names(cell: str) -> Names:
    """The names of a cell, which most inputs share."""
    return Names(bptt.cell(cell))


def _verdict(claim: Claim, names: Names) -> str:
    """What is known of a claim when it has been read."""
    reader = ReferenceReader(names.context.scope)
    for relation in claim.conditions:
        for item in relation.items:
            reader.index_or_none(item)
    if not claim.text or claim.surface is None or claim.error is not None:
        return "unreadable"
    if not isinstance(claim.surface, (s.Relation, s.Line)):
        return "no equation"
    return verdict_on(names, claim.surface, _shown).verdict


def _shown(relation: e.Relation) -> Verdict:
    """Instead of a judgement, the equation is written out, as messages do."""
    str(relation)
    return READ
