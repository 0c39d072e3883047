"""A derivation: the one object that is handed from the engine to sheets, code and verdicts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sympy import Expr

from derive.errors import clipped
from derive.expressions import Node, Relation
from derive.notation.fold import beside


@dataclass(frozen=True)
class Step:
    """One line of a derivation: ``lhs = rhs``, by which rule, and why.

    ``operator`` is ``=`` unless the line is a bound. ``proved`` says how the line was checked: ``algebra`` (equal
    canonical index forms, for all sizes and lengths), ``definition``, ``rule`` (a differentiation rule from the table),
    or a named principle such as ``induction``.
    """

    lhs: Node
    rhs: Node
    rule: str
    reason: str = ""
    operator: str = "="
    proved: str = "rule"

    @property
    def relation(self) -> Relation:
        """The line as an expression."""
        return Relation(self.operator, self.lhs, self.rhs)

    def latex(self) -> str:
        return self.relation.latex()

    def __str__(self) -> str:
        return str(self.relation)


@dataclass(frozen=True, repr=False)
class Derivation:
    """Steps that lead to ``target = result``.

    >>> import bptt
    >>> d = bptt.cell("h_t = \\\\sigma(W h_{t-1} + U x_t)").jacobian("h_t", "h_{t-1}")
    >>> str(d.result)
    "diag(sigma'(z[t])) @ W"
    """

    target: Node
    result: Node
    steps: tuple[Step, ...]
    title: str = ""
    recursion: tuple[Relation, ...] = ()
    """Equations that define the auxiliary quantities of the result, such as the adjoint recursion; zero beyond the
    ends.
    """
    conditions: tuple[tuple[Expr, Expr], ...] = ()
    """Pairs (a, b) of times: the result holds where a <= b."""
    notes: tuple[str, ...] = field(default=())
    length: int | None = None
    """The length T that it is written out for; None where it holds for any.
    """
    window: Expr | None = None
    """How many steps each loss goes back, where the result is a truncated one; None where it is exact."""

    @property
    def equation(self) -> Relation:
        """``target = result``, or ``target ≈ result`` where it is truncated."""
        return Relation("=" if self.window is None else "~", self.target, self.result)

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def latex(self) -> str:
        """All steps as a LaTeX ``align*`` environment, with the rule of each line beside it."""
        lines = [
            f"{step.lhs.latex()} &{step.operator} {step.rhs.latex()} && \\text{{{_escape(step.rule)}}}"
            for step in self.steps
        ]
        return "\\begin{align*}\n" + " \\\\\n".join(lines) + "\n\\end{align*}"

    def typst(self) -> str:
        """All steps as an aligned Typst equation."""
        lines = [
            f"{step.lhs.typst()} &{step.operator} {step.rhs.typst()} && quad #text[{step.rule}]" for step in self.steps
        ]
        return "$ " + " \\\n  ".join(lines) + " $"

    def text(self, width: int = 100) -> str:
        """All steps in the plain form, in lines of at most ``width`` characters where that is possible, each with its
        rule.
        """
        lines = [self.title] if self.title else []
        column = min(max((len(str(step)) for step in self.steps), default=0), width - width // 8)
        for step in self.steps:
            lines += beside(str(step), f"[{step.rule}]", width, column)
        lines.extend(f"  {note}" for note in self.notes)
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        count = f"{len(self.steps)} step{'' if len(self.steps) == 1 else 's'}"
        return f"<Derivation {clipped(str(self.equation), 100)} ({count})>"

    def _repr_latex_(self) -> str:
        return self.latex()

    def data(self) -> dict[str, Any]:
        """The derivation as plain data, for ``--format json``."""
        return {
            "title": self.title,
            "target": {"latex": self.target.latex(), "text": str(self.target)},
            "result": {"latex": self.result.latex(), "text": str(self.result)},
            "recursion": [{"latex": r.latex(), "text": str(r)} for r in self.recursion],
            "steps": [
                {
                    "lhs": step.lhs.latex(), "rhs": step.rhs.latex(), "operator": step.operator, "text": str(step), "rule": step.rule,
                    "reason": step.reason, "proved": step.proved,
                }
                for step in self.steps
            ],
            "notes": list(self.notes),
        }  # fmt: skip

    def json(self) -> str:
        """:meth:`data` as JSON."""
        return json.dumps(self.data(), ensure_ascii=False, indent=2)


def _escape(text: str) -> str:
    return text.replace("_", r"\_").replace("&", r"\&").replace("%", r"\%").replace("#", r"\#")
