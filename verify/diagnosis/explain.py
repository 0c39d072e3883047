"""From a wrong verdict to what is wrong, where, and what would be right."""

from __future__ import annotations

from dataclasses import dataclass

from derive.errors import BpttError
from derive.notation import surface as s
from derive.notation.elaborate import resolve
from derive.notation.source import Span
from verify.diagnosis.phrases import place, sentence
from verify.diagnosis.search import diagnose
from verify.formula import Subject
from verify.verdict import Verdict


@dataclass(frozen=True)
class Explanation:
    """What is wrong with a formula.

    Parameters
    ----------
    said       : in words.
    kind       : which slip it is: a transpose, the order of factors, ...
    span       : where.
    correction : the formula that holds, in LaTeX.
    """

    said: str
    kind: str
    span: Span | None
    correction: str


def explain(subject: Subject, surface: s.Surface, verdict: Verdict) -> Explanation | None:
    """The smallest change that makes a wrong equation true; None where none was found. Of a chain, the first false link is
    explained.
    """
    if not isinstance(surface, s.Relation):
        return None
    link = next((k for k, found in enumerate(verdict.links) if found.verdict == "wrong"), 0)
    if surface.operators[link] not in ("=", ":=", "=="):
        return None
    try:
        left, right = (resolve(item, subject.names.context) for item in surface.items[link : link + 2])
        found = diagnose(subject, left, right)
    except BpttError:
        return None
    if found is None:
        return None
    said = sentence(found, subject.names)
    return Explanation(said, found.edit.kind, place(found), found.relation.latex())


__all__ = ["Explanation", "explain"]
