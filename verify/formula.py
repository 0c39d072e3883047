"""The verdict on a formula as it is written: what cannot be read is unreadable, what does not conform is wrong, and what is laid out
the other way may be right up to the layout.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from derive import expressions as e
from derive.errors import BpttError, MissingRuleError, ParseError, ShapeError
from derive.expressions.node import ONE
from derive.normal import equal
from derive.notation import surface as s
from derive.notation.elaborate import Context, elaborate, with_powers, within
from derive.notation.names import QName
from verify.instances import Condition
from verify.judge import joined, judge, laid_out_again
from verify.memberships import is_membership, judge_sizes
from verify.names import Names
from verify.verdict import Verdict

Decide = Callable[[e.Relation], Verdict]
Numeric = Callable[[s.Relation], Verdict | None]


@dataclass(frozen=True)
class Subject:
    """What formulas are about, and how they are tried.

    Parameters
    ----------
    names      : those of the cell, and the author's own.
    draws      : how many random instances are tried.
    seed       : of the instances.
    sizes      : sizes to hold fixed.
    conditions : relations between times at which a formula is meant to hold.
    zero_counts : whether a formula is right that holds for states that start from zero alone.
    ordered    : whether products say in which order their factors stand.
    zeros      : starting values that are meant to be zero.
    """

    names: Names
    draws: int = 12
    seed: int = 0
    sizes: dict[str, int] = field(default_factory=dict)
    conditions: tuple[Condition, ...] = ()
    zero_counts: bool = True
    ordered: bool = False
    zeros: tuple[e.Timed, ...] = ()

    def decide(self, relation: e.Relation) -> Verdict:
        """The verdict on an equation."""
        return judge(
            self.names.system,
            relation,
            self.draws,
            self.seed,
            self.sizes,
            self.names,
            conditions=self.conditions,
            zero_counts=self.zero_counts,
            ordered=self.ordered,
            zeros=self.zeros,
        )


def verdict_on(names: Names, surface: s.Surface, decide: Decide, numeric: Numeric | None = None) -> Verdict:
    """The verdict on an equation, a chain of equations, or memberships such as ``y \\in \\mathbb{R}^{n}``.

    Parameters
    ----------
    decide  : judges an equation that was read.
    numeric : judges one of which a side is numbers, where it can.
    """
    doubt = _unclear(names, surface)
    if doubt:
        return Verdict("unsupported", "tested", message=doubt)
    try:
        if is_membership(surface):
            return judge_sizes(names, surface)
        if isinstance(surface, s.Relation) and surface.operators[-1] == "in":
            return _sized(names, surface, decide, numeric)
        if isinstance(surface, s.Relation) and len(surface.items) > 2:
            return _chain(names, surface, decide, numeric)
        return _link(names, names.context, surface, decide, numeric)
    except MissingRuleError as error:
        return Verdict("unsupported", "tested", message=error.message, error_at=error.span)
    except BpttError as error:
        return Verdict("unreadable", "tested", message=error.message, hint=error.hint or "", error_at=error.span)


def _unclear(names: Names, surface: s.Surface) -> str:
    """Why a name without a label does not say what it stands for, and how to say it; empty where every name does."""
    if not names.unclear:
        return ""
    for key in sorted(names.unclear.keys() & names.keys_in(surface)):
        meant = " or ".join(str(names.system.quantity(one)) for one in names.unclear[key])
        of = "the adjoint of " if QName.from_key(key).base == "delta" else ""
        return f"{key} may be {of}{meant}; say which, as in 'let {key}_t = ...'"
    return ""


def _sized(names: Names, surface: s.Relation, decide: Decide, numeric: Numeric | None) -> Verdict:
    """An equation that ends with the set that its sides belong to: J = diag(σ') W ∈ R^{n×n}."""
    equation = s.Relation(surface.operators[:-1], surface.items[:-1], span=surface.span)
    found = verdict_on(names, equation, decide, numeric)
    if found.verdict not in ("correct", "layout") or surface.items[-2] == s.Number("0"):
        return found  # 0 has whatever size it stands for
    sizes = judge_sizes(
        names, s.Relation(("in",), surface.items[-2:], span=surface.span), within(equation, names.context)
    )
    return joined([*(found.links or (found,)), sizes])


def _chain(names: Names, surface: s.Relation, decide: Decide, numeric: Numeric | None) -> Verdict:
    """Link by link, so that one that does not conform is known by its place; all of it must be readable."""
    links = [
        s.Relation((sign,), surface.items[k : k + 2], span=surface.span) for k, sign in enumerate(surface.operators)
    ]
    context = within(surface, names.context)

    def whole(last: int) -> Verdict:
        ends = s.Relation(("=",), (surface.items[0], surface.items[last]), span=surface.span)
        return _link(names, context, ends, decide, numeric)

    equations = set(surface.operators) <= {"=", ":=", "=="}
    return joined([_link(names, context, link, decide, numeric) for link in links], whole if equations else None)


def _link(names: Names, context: Context, surface: s.Surface, decide: Decide, numeric: Numeric | None) -> Verdict:
    if numeric is not None and isinstance(surface, s.Relation):
        found = numeric(surface)
        if found is not None:
            return found
    try:
        found = decide(_relation(elaborate(surface, context), surface))
        return (_powered(context, surface, decide) or found) if found.verdict == "wrong" else found
    except ShapeError as error:
        turned = _turned(names, context, surface, decide)
        if turned is not None:
            return turned
        return Verdict("wrong", "proved", message=error.message, hint=error.hint or "", error_at=error.span)


POWERS = "T in a superscript is the length of the sequence"
"""How W^T is read where it is no transpose."""


def _powered(context: Context, surface: s.Surface, decide: Decide) -> Verdict | None:
    """The verdict on an equation with T as a power in its superscripts, where it holds so."""
    try:
        node = with_powers(surface, context)
    except BpttError:
        return None
    found = decide(node) if isinstance(node, e.Relation) else None
    if found is None or found.verdict != "correct":
        return None
    return replace(found, reading="; ".join(filter(None, (POWERS, found.reading))))


def _relation(node: e.Node, surface: s.Surface) -> e.Relation:
    if not isinstance(node, e.Relation):
        raise ParseError("this is no equation", span=surface.span, expected="left side = right side")
    return node


def _turned(names: Names, context: Context, surface: s.Surface, decide: Decide) -> Verdict | None:
    """The verdict on an equation that is laid out the other way: with derivatives of scalars by vectors as columns throughout,
    with all derivatives transposed, or with a row for a column on one side; None where the shapes differ by more.
    """
    if not isinstance(surface, s.Relation) or surface.operators not in (("=",), (":=",), ("==",)):
        return None
    first: Verdict | None = None
    for number, layout in enumerate(_layouts(within(surface, context), surface)):
        try:
            relation = layout()
        except BpttError:
            continue
        if isinstance(relation, e.Relation) and (number < 2 or _has_gradient(relation, names)):
            if number == 2 and _is_idle(relation):
                continue
            found = decide(relation)
            if found.verdict == "correct":
                # Who writes vectors as rows gives the derivative by a column the shape of the column: that is his layout.
                own = context.layout == "row" and number == 0 and _by_columns(relation)
                return found if own else replace(found, verdict="layout")
            first = first or found
    return first


def _is_idle(relation: e.Relation) -> bool:
    """Whether a turned equation says X = X: X = X^⊤ is no matter of layout."""
    left, right = relation.lhs, relation.rhs
    return left == right or e.Transpose(left) == right or equal(left, right)


def _has_gradient(relation: e.Relation, names: Names) -> bool:
    """Whether there is a derivative that may be laid out in another way; what the cell computes has one shape."""
    return any(_is_derivative(side, names) for side in relation.items)


def _is_derivative(side: e.Node, names: Names) -> bool:
    """Whether a side is a derivative, be it transposed, or a name of one."""
    while isinstance(side, e.Transpose):
        side = side.operands[0]
    named = isinstance(side, (e.Timed, e.Var)) and names.is_of_derivatives(side.name)
    return (
        named or isinstance(side, (e.Derivative, e.Gradient)) or (isinstance(side, e.Plus) and side.has(e.Derivative))
    )


def _by_columns(relation: e.Relation) -> bool:
    """Whether every derivative of a number by a vector is by a column."""
    found = [node for node in relation.atoms(e.Derivative) if node.of.is_scalar and not node.by.is_scalar]
    return all(node.by.shape[0] != ONE and node.by.shape[1] == ONE for node in found if ONE in node.by.shape)


def _layouts(context: Context, surface: s.Relation) -> Sequence[Callable[[], e.Node]]:
    def transposed() -> e.Node:
        left, right = (elaborate(side, context) for side in surface.items)
        return e.Relation("=", left, e.Transpose(laid_out_again(right)))

    return (
        lambda: elaborate(surface, context, columns="scalars"),
        lambda: elaborate(surface, context, columns="all"),
        transposed,
    )


__all__ = ["Subject", "verdict_on"]
