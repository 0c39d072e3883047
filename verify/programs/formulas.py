"""The formula of a single gradient that is wrong: the small change of it that gives the very array."""

from __future__ import annotations

from derive import expressions as e
from numeric.functions import Array
from verify.names import Names
from verify.programs.changes import changes_of, read
from verify.programs.evidence import Evidence
from verify.programs.inside import ERRORS
from verify.programs.recursion import Recursion
from verify.programs.results import Point, formula_of

MOST = 3_000
"""How many changes are tried for one array."""


def formula_reason(recursion: Recursion, found: Evidence) -> str:
    """The change in words; empty where there is none. The recursion may be one with a wrong line."""
    system, target = recursion.system, found.target
    time = None if target.time is None or not target.time.is_Integer else int(target.time)
    formula = formula_of(system, target, time)
    if formula is None or target.kind not in ("gradient", "share") or target.over_time(system):
        return ""
    names = Names(system)
    pre = read(formula, names)
    if pre is None:
        return ""
    for number, change in enumerate(changes_of(pre, names)):
        if number == MOST:
            break
        node = change.built(names)
        if node is not None and _gives(recursion, node, found):
            return f"it is {node}, where {formula} belongs{change.told(names)}"
    return ""


def _gives(recursion: Recursion, node: e.Node, found: Evidence) -> bool:
    """Whether an array is the value of a formula."""

    def value(point: Point) -> Array | None:
        try:
            return recursion.at(point).formula(node)
        except ERRORS:
            return None

    return found.fits(lambda case: case.together(found.target, value))


__all__ = ["formula_reason"]
