"""From a wrong verdict to what is wrong, where, and what would be right."""

from __future__ import annotations

from dataclasses import dataclass

from derive.errors import BpttError
from derive.notation import surface as s
from derive.notation.elaborate import in_columns, resolve
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

    @property
    def steps(self) -> tuple[str, ...]:
        """Hints, from the place of the slip to the answer."""
        place = self.span
        where = (
            "look once more" if place is None else f"look at line {place.line}, column {place.column}: {_short(place)}"
        )
        what = "line" if place is None else f"line {place.line}, column {place.column}"
        said = self.said if place is None else f"{what}: {self.said}"
        return (where, f"it is about {_ABOUT.get(self.kind, self.kind)}", said, f"what holds: {self.correction}")


_ABOUT = {
    "transpose": "a transpose", "diag": "diag", "derivative mark": "the derivative of a function", "function": "a function",
    "derivative of a function": "the derivative of a function", "index": "a time", "name": "which quantity stands there",
    "total or immediate": "the total or the immediate derivative", "constant": "a number", "exponent": "an exponent",
    "order": "the order of the factors", "product": "which product it is", "extra factor": "a factor that is too many",
    "factor": "a factor", "missing factor": "a factor that is missing", "sign": "a sign", "bound": "the bounds of a sum or a product",
    "extra summand": "a summand that is too many", "missing summand": "a summand that is missing", "gate": "a gate",
    "complement": "1 minus something", "loss": "the loss of one step or of all", "sum or product": "a sum or a product",
}  # fmt: skip


def _short(span: Span) -> str:
    text = " ".join(span.original.text.split())
    return text if len(text) <= 60 else f"{text[:56]} ..."


def explain(subject: Subject, surface: s.Surface, verdict: Verdict) -> Explanation | None:
    """The smallest change that makes a wrong equation true; None where none was found. Of a chain, the first false link is
    explained.
    """
    if not isinstance(surface, s.Relation):
        return None
    link = next((k for k, found in enumerate(verdict.links) if found.verdict == "wrong"), 0)
    if surface.operators[link] not in ("=", ":=", "=="):
        return None
    found = None
    for columns in ("", "scalars"):
        try:
            written = list(resolve(surface, subject.names.context).args[link : link + 2])
            left, right = (in_columns(pre, subject.names.context, columns) for pre in written)
            if columns and [left, right] == written:
                break
            found = found or diagnose(subject, left, right)
        except BpttError:
            return None
    if found is None:
        return None
    said = sentence(found, subject.names)
    written = subject.names.as_written(found.relation, subject.names.keys_in(surface))
    return Explanation(said, found.edit.kind, place(found), written.latex())


__all__ = ["Explanation", "explain"]
