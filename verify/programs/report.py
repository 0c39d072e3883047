"""``bptt.check_gradients``: which gradient of somebody's backward pass is wrong, at which step, and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from derive.cell import Cell
from derive.errors import UsageError, ValidationError
from derive.system import leaves
from numeric.draws import draw
from numeric.functions import Array
from verify.programs.calls import Caller, Target
from verify.programs.reasons import reasons
from verify.programs.results import Point, apart, fitted, steps_apart

LENGTHS = (3, 4, 1, 2)
"""The lengths of the sequences that a function is tried on."""


@dataclass(frozen=True)
class Finding:
    """What was found about one array.

    Parameters
    ----------
    name   : what the function calls it.
    about  : what it is.
    right  : whether it is right at every point.
    error  : the largest relative difference.
    where  : at which step it goes wrong, in words.
    why    : the slip that gives the very array, where one was found.
    """

    name: str
    about: str
    right: bool
    error: float
    where: str = ""
    why: str = ""

    def __str__(self) -> str:
        if self.right:
            return f"{self.name}: right{', transposed' if self.where else ''}"
        where = f", {self.where}" if self.where else ""
        return f"{self.name}: wrong (relative error {self.error:.2g}){where}"


@dataclass(frozen=True)
class GradientReport:
    """Everything that was found about a backward pass.

    Parameters
    ----------
    findings : one an array that was returned.
    missing  : gradients by parameters that were not returned.
    unknown  : names that are no quantity of the cell.
    """

    findings: tuple[Finding, ...]
    missing: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def right(self) -> bool:
        """Whether everything that was returned is right, and something was."""
        return bool(self.findings) and all(finding.right for finding in self.findings)

    def __str__(self) -> str:
        lines = [str(finding) for finding in self.findings]
        for why in dict.fromkeys(finding.why for finding in self.findings if finding.why):
            names = [finding.name for finding in self.findings if finding.why == why]
            lines.append(f"why {', '.join(names)}: {why}")
        if self.missing:
            lines.append(f"not returned: {', '.join(self.missing)}")
        if self.unknown:
            lines.append(f"not checked, since the cell has no such quantity: {', '.join(self.unknown)}")
        return "\n".join(lines)


def check_gradients(
    function: Callable[..., Any],
    cell: Cell,
    *,
    torch: bool = False,
    batch: bool = False,
    returns: Sequence[str] | None = None,
    tolerance: float = 1e-6,
    seed: int = 0,
    length: int | None = None,
) -> GradientReport:
    """Whether somebody's own backward pass gives the right gradients.

    The function is called with random arrays of sequences of several lengths, and what it returns is held against derivatives
    of the unrolled cell by the complex step.

    Parameters
    ----------
    function  : takes ``params``, ``inputs``, ``initial_state``, ``cotangents``, ``targets`` as functions of ``bptt.compile`` do, or
                quantities by their names: ``W``, ``x`` for all inputs of shape ``(T, d)``, ``x1`` for the one of step 1, ``h_0``,
                ``dh`` for ∂L/∂h_t. It returns a mapping (or a tuple with one in it) from names to arrays: ``W`` or ``dW`` for a
                gradient, ``dW_2`` for what step 2 adds to it, ``dx``, ``dh_0``; ``dh`` of shape ``(T, n)`` for the total
                gradients by a state, ``h`` for its values.
    torch     : whether it takes tensors.
    batch     : whether arrays have a batch axis behind the time.
    returns   : names of what it returns, where these are arrays without names.
    tolerance : the largest relative difference that passes.
    length    : T, where the function is made for one length.

    Raises
    ------
    UsageError : what the function takes is no quantity of the cell.
    DataError  : what it returns is no array, or has no name.

    >>> import numpy as np
    >>> from derive.cell import cell
    >>> def backward(w, x, dh):
    ...     h = np.concatenate([[0.0], np.cumprod(np.ones(len(x)))])
    ...     return {"dw": sum(dh)}
    >>> check_gradients(backward, cell("h[t] = w * h[t-1] + x[t], h[t] in R, x[t] in R")).right
    False
    """
    if not isinstance(cell, Cell):
        raise UsageError(f"{cell!r} is no cell", hint="bptt.cell(...) makes one")
    caller = Caller(cell, function, torch, batch, returns)
    lengths = (length, length) if length is not None else LENGTHS
    points = [Point(cell, draw(cell, seed + k, length=steps)) for k, steps in enumerate(lengths)]
    returned = [caller(point.drawn) for point in points]
    targets = {name: caller.target(name) for name in returned[0]}
    measured = {
        name: _Measured(name, target, points, [arrays.get(name) for arrays in returned], tolerance)
        for name, target in targets.items()
        if target is not None
    }
    why = _why(cell, points, list(measured.values()))
    findings = tuple(one.finding(why.get(one.name, "")) for one in measured.values() if one.known)
    given = {target.key for target in targets.values() if target is not None}
    read = {leaf.name for q in cell.steps for leaf in leaves(q.rhs)}  # what the loss alone reads is a target
    missing = tuple(key for key in cell.parameters if key in read and key not in given and key not in cell.labels)
    unknown = tuple(name for name, target in targets.items() if target is None or not measured[name].known)
    return GradientReport(findings, missing, unknown)


class _Measured:
    """One array at every point."""

    def __init__(
        self, name: str, target: Target, points: Sequence[Point], arrays: Sequence[Array | None], tolerance: float
    ) -> None:
        self.name, self.target, self.points, self.tolerance = name, target, points, tolerance
        self.pairs: list[tuple[Point, Array, Array]] = []
        self.shape = ""
        self.turned = False
        for point, array in zip(points, arrays, strict=True):
            right = point.right(target)
            if right is None or array is None:
                continue
            fit = fitted(array, right)
            if fit is None:
                self.shape = f"it has the shape {array.shape}; expected {_shape(right)}"
                continue
            self.turned = self.turned or fit[1]
            self.pairs.append((point, fit[0], right))
        self.errors = [apart(array, right) for _, array, right in self.pairs]
        self.known = bool(self.pairs) or bool(self.shape)

    @property
    def wrong(self) -> bool:
        return bool(self.shape) or any(not error <= self.tolerance for error in self.errors)

    def finding(self, why: str) -> Finding:
        error = max(self.errors, default=float("inf"))
        if not self.wrong:
            note = "transposed" if self.turned else ""
            return Finding(self.name, str(self.target), True, error, note)
        return Finding(self.name, str(self.target), False, error, self.shape or self._where(), why)

    def _where(self) -> str:
        """At which step it goes wrong first: in the order in which a backward pass goes, or from which length on."""
        if not all(np.all(np.isfinite(array)) for _, array, _ in self.pairs):
            return "it holds numbers that are not finite"
        over_time = self.target.time is None and self.target.kind != "loss" and self._timed()
        if over_time:
            point, array, right = max(self.pairs, key=lambda pair: pair[0].length)
            steps = list(steps_apart(array, right, self.tolerance))
            if not steps:
                return ""
            if self.target.kind == "state":
                return f"from step {steps[0]} on (T = {point.length})"
            return f"at step {steps[-1]} first, going back from T = {point.length}"
        lengths = {point.length: error for (point, _, _), error in zip(self.pairs, self.errors, strict=True)}
        fine = [steps for steps, error in lengths.items() if error <= self.tolerance]
        return f"it is right for T = {max(fine)}, and wrong for longer sequences" if fine else ""

    def _timed(self) -> bool:
        _, array, _ = self.pairs[0]
        return array.ndim == 3


def _shape(right: Array) -> str:
    return str(tuple(size for size in right.shape if size != 1))


def _why(cell: Cell, points: Sequence[Point], measured: Sequence[_Measured]) -> dict[str, str]:
    """Reasons by the names of the arrays."""
    chosen = list(points[:2])
    wrong: dict[Target, list[Array]] = {}
    right: dict[Target, list[Array]] = {}
    for one in measured:
        arrays = [array for point, array, _ in one.pairs if point in chosen]
        if len(arrays) == len(chosen) and all(np.all(np.isfinite(array)) for array in arrays):
            (wrong if one.wrong else right)[one.target] = arrays
    said: dict[Target, str] = {}
    for reason in reasons(cell, chosen, wrong, right) if wrong else ():
        for target in reason.targets:
            said.setdefault(target, reason.said)
    return {one.name: said[one.target] for one in measured if one.wrong and one.target in said}


def assert_gradients(function: Callable[..., Any], cell: Cell, **options: Any) -> None:
    """For tests: fail with the report unless every gradient is right, and those by all parameters are there.

    Raises
    ------
    ValidationError : the report says what is wrong.
    """
    report = check_gradients(function, cell, **options)
    if not report.right or report.missing:
        raise ValidationError(f"the backward pass is not right\n{report}")


__all__ = ["Finding", "GradientReport", "assert_gradients", "check_gradients"]
