"""Is a formula about a cell true? It is proved by canonical forms, or tried at random points (:mod:`verify.measure`), as
printed and in the readings that authors use (:mod:`verify.readings`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from derive import expressions as e
from derive.errors import DataError, MissingRuleError, ShapeError, UsageError
from derive.expressions.node import ONE
from derive.normal import equal
from derive.system import RecurrentSystem
from verify.bounds import is_bound, judge_bound
from verify.closed import judge_closed
from verify.instances import Condition, Trial
from verify.measure import measured
from verify.names import Names
from verify.numbers import immaterial, indistinct, untried
from verify.proof import proved
from verify.readings import FROM_ZERO, TURNED, readings
from verify.verdict import Verdict


def judge(
    system: RecurrentSystem,
    relation: e.Relation,
    draws: int = 12,
    seed: int = 0,
    sizes: Mapping[str, int] | None = None,
    names: Names | None = None,
    conditions: Sequence[Condition] = (),
    zero_counts: bool = True,
    ordered: bool = False,
    zeros: Sequence[e.Timed] = (),
) -> Verdict:
    """The verdict on one equation about a cell.

    Parameters
    ----------
    sizes      : sizes to hold fixed (n = 1: is the formula true in the scalar case?).
    names      : those of the cell, and the author's own.
    conditions : relations between times at which it is meant to hold.
    zero_counts : whether a formula is right that holds for states that start from zero alone.
    ordered    : whether products over time say in which order their factors stand.
    zeros      : starting values that are meant to be zero.

    Raises
    ------
    UsageError : it is no equation or relation.
    """
    if not isinstance(relation, e.Relation):
        raise UsageError(
            f"{relation} is not an equation, so it is neither right nor wrong", expected="left side = right side"
        )
    known = names or Names(system)
    fixed = tuple(sorted((sizes or {}).items()))
    trial = Trial(
        draws,
        seed,
        fixed,
        zeros=tuple(zeros),
        conditions=tuple(conditions),
        zero_counts=zero_counts,
        ordered=ordered,
    )
    try:
        if known.defines(relation):
            return Verdict("correct", "definition")
        return _judged(known, known.plain(relation), trial)
    except MissingRuleError as error:
        return Verdict("unsupported", "tested", message=error.message)


def _judged(names: Names, relation: e.Relation, trial: Trial) -> Verdict:
    if len(relation.items) > 2:
        return _chain(names, relation, trial)
    if not relation.atoms(e.Timed, e.Var, e.OverTime) and not relation.free_symbols:
        return _closed(relation)
    if is_bound(relation):
        return _told(relation, judge_bound(names, relation, trial))
    if relation.operators != ("=",):
        return Verdict("unsupported", "tested", message=f"only equations are decided, not '{relation.operators[0]}'")
    if is_definition(names.system, relation):
        return Verdict("correct", "definition")
    if equal(relation.lhs, relation.rhs):
        return Verdict("correct", "proved")
    hidden = untried(relation, *(q.rhs for q in names.system.equations))
    if hidden:
        return Verdict("unsupported", "tested", message=hidden)
    tried = _tried(names, relation, trial)
    if tried[-1].verdict == "wrong" and _has_layouts(relation):
        turned = _turned(names, relation, trial)
        if turned is not None:
            return _told(relation, turned)
    best = tried[-1] if tried[-1].verdict != "wrong" else min(tried, key=lambda found: found.error)
    return _told(relation, replace(best, tried=tuple(tried) if len(tried) > 1 else ()))


def _told(relation: e.Relation, found: Verdict) -> Verdict:
    """The verdict; none, where trying cannot tell the relation from another one that has other numbers."""
    accepted = found.verdict in ("correct", "layout") and found.evidence == "tested"
    hidden = indistinct(relation) if accepted else ""
    return Verdict("unsupported", "tested", points=found.points, message=hidden) if hidden else found


def _closed(relation: e.Relation) -> Verdict:
    """The verdict on a relation between numbers."""
    try:
        return judge_closed(relation)
    except (DataError, ShapeError) as error:
        return Verdict("unsupported", "tested", message=error.message)
    except (ArithmeticError, AttributeError, NotImplementedError, TypeError, ValueError) as error:
        return Verdict(
            "unsupported", "tested", message=f"it has no exact value that can be computed ({type(error).__name__})"
        )


def _tried(names: Names, relation: e.Relation, trial: Trial) -> list[Verdict]:
    """The verdicts in one reading after the other, up to the first that is not 'wrong'."""
    tried: list[Verdict] = []
    for reading in readings(relation, names.system):
        if reading.name == FROM_ZERO and trial.conditions:
            continue  # the author says which times are meant
        if reading.name == TURNED and trial.ordered:
            continue
        found = measured(names, reading.relation, replace(trial, zero_start=reading.zero_start))
        found = replace(found, reading=reading.name)
        if found.verdict == "correct" and not reading.relation.atoms(e.Timed, e.Var):
            message = "it speaks of numbers alone, which are not told from rounding by trying"
            found = Verdict("unsupported", "tested", message=message)
        if found.verdict == "correct" and proved(names.system, reading.relation):
            found = replace(found, evidence="proved")
        if found.verdict == "correct" and found.evidence == "tested":
            hidden = immaterial(names, reading.relation, trial)
            found = Verdict("unsupported", "tested", points=found.points, message=hidden) if hidden else found
        if reading.zero_start and not trial.zero_counts:
            if found.verdict == "correct" and tried:
                tried[0] = replace(tried[0], message=_only_from_zero(names.system))
            continue
        useless = bool(reading.name) and tried and found.verdict != "correct" and found.verdict != "wrong"
        useless = useless or (reading.zero_start and found.verdict == "wrong")
        if not useless and not any(_says_the_same(found, before) for before in tried):
            tried.append(found)
        if found.verdict not in ("wrong", "unsupported") or (found.verdict == "unsupported" and not reading.name):
            break
    return tried


def _only_from_zero(system: RecurrentSystem) -> str:
    starts = [f"{start.latex()} = 0" for start in system.starts if start not in system.initial]
    return f"it holds only if the states start from zero; say so by {' and '.join(starts)}, if that is meant"


def _has_layouts(relation: e.Relation) -> bool:
    """Whether its right side, transposed, would have the same shape, and the left side is a derivative."""
    left, right = relation.lhs, relation.rhs
    square = not right.is_scalar and len(right.shape) == 2 and right.shape[0] == right.shape[1]
    return square and isinstance(left, (e.Derivative, e.Gradient))


def _turned(names: Names, relation: e.Relation, trial: Trial) -> Verdict | None:
    """The verdict ``layout``, if the formula holds with its right side transposed."""
    for reading in readings(relation, names.system):
        if (reading.zero_start and not trial.zero_counts) or (reading.name == TURNED and trial.ordered):
            continue
        turned = e.Relation("=", reading.relation.lhs, e.Transpose(laid_out_again(reading.relation.rhs)))
        found = measured(names, turned, replace(trial, zero_start=reading.zero_start))
        if found.verdict == "correct":
            return replace(found, verdict="layout", reading=reading.name)
    return None


def laid_out_again(node: e.Node) -> e.Node:
    """A formula whose derivatives that are matrices are laid out the other way, so that all of a formula has one layout."""
    if isinstance(node, (e.Derivative, e.Gradient)):
        return node if ONE in node.shape or len(node.shape) != 2 else e.Transpose(node)
    return node.with_operands([laid_out_again(part) for part in node.operands]) if node.operands else node


def _says_the_same(found: Verdict, before: Verdict) -> bool:
    """Whether another reading made no difference, as turning a product of factors that commute does."""
    same = (found.verdict, found.points, found.holds) == (before.verdict, before.points, before.holds)
    return same and abs(found.error - before.error) <= 1e-9 * before.error


def _chain(names: Names, relation: e.Relation, trial: Trial) -> Verdict:
    """The verdict on a = b = c: the first link that does not hold, or else the last."""
    links: list[Verdict] = []
    for position, operator in enumerate(relation.operators):
        link = e.Relation(operator, *relation.items[position : position + 2])
        links.append(_judged(names, link, trial))

    def whole(last: int) -> Verdict:
        return _judged(names, e.Relation("=", relation.items[0], relation.items[last]), trial)

    return joined(links, whole if set(relation.operators) == {"="} else None)


def joined(links: Sequence[Verdict], whole: Callable[[int], Verdict] | None = None) -> Verdict:
    """The verdict on a chain of links.

    Parameters
    ----------
    whole : of a chain of equations, the verdict on its first formula and another one. Links that hold in readings of their own do not make
        a chain: its ends must be equal too.
    """
    for position, found in enumerate(links):
        if found.verdict not in ("correct", "layout"):
            message = found.message or f"link {position + 1} of the chain does not hold"
            return replace(found, message=message, links=tuple(links))
    turned = [found for found in links if found.verdict == "layout"]
    if whole is not None and (turned or any(found.reading for found in links)):
        for last in range(2, len(links) + 1):
            found = whole(last)
            if found.verdict not in ("correct", "layout"):
                message = f"each link holds in a reading of its own; its formulas 1 and {last + 1} differ"
                return replace(found, message=message, links=tuple(links))
    ranks = {"definition": 0, "proved": 1, "tested": 2}
    weakest = max(links, key=lambda found: ranks[found.evidence])
    reading = next((found.reading for found in links if found.reading), "")
    verdict = "layout" if turned else "correct"
    return replace(weakest, verdict=verdict, reading=reading, links=tuple(links))


def is_definition(system: RecurrentSystem, relation: e.Relation) -> bool:
    """Whether an equation only restates an equation of the cell, or itself."""
    if relation.lhs == relation.rhs:
        return True
    known = [(q.lhs, q.rhs) for q in (*system.equations, *system.steps)]
    known += list(system.initial.items())
    if system.text.loss is not None:
        known.append((e.Var(system.loss_name), system.text.loss))
    return any(relation.lhs == lhs and (relation.rhs == rhs or equal(relation.rhs, rhs)) for lhs, rhs in known)


__all__ = ["is_definition", "joined", "judge", "laid_out_again"]
