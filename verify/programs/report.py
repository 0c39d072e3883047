"""``bptt.check_gradients``: which gradient of somebody's backward pass is wrong, at which step, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np

from derive import expressions as e
from derive.cell import Cell
from derive.errors import DataError, UsageError, ValidationError, clipped
from derive.system import leaves
from numeric.arguments import Signature
from verify.programs.beyond import beyond
from verify.programs.calls import Answer, Caller
from verify.programs.cases import Case, Way, cases_for, lengths_for
from verify.programs.measured import Measured, differing
from verify.programs.naming import Target
from verify.programs.reasons import why

LONGEST = 1_000
"""The longest sequence on which a function is tried."""


@dataclass(frozen=True)
class Finding:
    """What was found about one array.

    Parameters
    ----------
    name   : what the function calls it.
    about  : what it is.
    right  : whether it is right in every case.
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
        measured = f" (relative error {self.error:.2g})" if self.error < float("inf") else ""
        return f"{self.name}: wrong{measured}{where}"


@dataclass(frozen=True)
class GradientReport:
    """Everything that was found about a backward pass.

    Parameters
    ----------
    findings : one an array that was returned.
    missing  : gradients by parameters that were not returned.
    unknown  : names that could not be checked.
    notes    : what else there is to say.
    faults   : what is wrong with the function beside its arrays: arguments that it changes, answers that differ, sizes for which
               it raises something.
    unchecked : for each name that could not be checked, why.
    tried    : the lengths and sizes of the cases.
    """

    findings: tuple[Finding, ...]
    missing: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()
    tried: str = ""

    @property
    def right(self) -> bool:
        """Whether everything that was returned is right, and something was."""
        return bool(self.findings) and all(finding.right for finding in self.findings) and not self.faults

    @property
    def verdict(self) -> str:
        """All of it in one line."""
        wrong = [finding.name for finding in self.findings if not finding.right]
        if not self.findings:
            return "nothing could be checked"
        if wrong:
            return f"the backward pass is wrong: {', '.join(wrong)}"
        if self.faults:
            return "the arrays are right, the function is not"
        return f"everything that is returned is right{', but not all is returned' if self.missing else ''}"

    def __str__(self) -> str:
        lines = [self.verdict, *map(str, self.findings)]
        for said in dict.fromkeys(finding.why for finding in self.findings if finding.why):
            names = [finding.name for finding in self.findings if finding.why == said]
            lines.append(f"why {', '.join(names)}: {said}")
        if self.missing:
            lines.append(f"not returned: {', '.join(self.missing)}")
        lines += [f"not checked: {said}" for said in self.unchecked]
        return "\n".join([*lines, *self.faults, *self.notes, *filter(None, [self.tried])])


def check_gradients(
    function: Callable[..., Any],
    cell: Cell,
    *,
    torch: bool = False,
    batch: bool = False,
    returns: Sequence[str] | str | None = None,
    tolerance: float | None = None,
    seed: int = 0,
    length: int | None = None,
) -> GradientReport:
    """Whether somebody's own backward pass gives the right gradients.

    The function is called with random arrays of several lengths, sizes and scales; what it returns is held against the
    unrolled cell by the complex step. What it does not take of the values that a sequence starts from is zero.

    Parameters
    ----------
    function  : takes quantities of the cell by name (``W``, ``x`` for all inputs, ``x1`` for that of step 1, ``h_0``, ``dh`` for
                the gradient of an abstract loss by h), or the groups params, inputs, initial_state, cotangents, targets;
                returns a mapping from names (``dW``, ``dh_0``, ``h``, ``dW_2`` for what step 2 adds) to arrays.
    torch     : whether it takes tensors.
    batch     : whether arrays have a batch axis behind the time. The loss is the sum over the sequences.
    returns   : names of what it returns, where these are arrays without names.
    tolerance : the largest relative difference that passes; by default 1e-6, and 1e-4 for arrays of single precision.
    length    : T, where the function is made for one length.

    Raises
    ------
    UsageError : what the function takes is no quantity of the cell, or an option is none.
    DataError  : it raises something in the first, ordinary cases, or what it returns is no array, or has no name.

    >>> import numpy as np
    >>> from derive.cell import cell
    >>> def backward(w, x, dh):
    ...     h = np.concatenate([[0.0], np.cumprod(np.ones(len(x)))])
    ...     return {"dw": sum(dh)}
    >>> check_gradients(backward, cell("h[t] = w * h[t-1] + x[t], h[t] in R, x[t] in R")).right
    False
    """
    if not isinstance(cell, Cell):
        raise UsageError(f"{clipped(repr(cell), 60)} is no cell", hint="bptt.cell(...) makes one")
    names = _names(returns)
    _check_options(cell, tolerance, seed, length)
    with np.errstate(all="ignore"):
        return _report(cell, Caller(cell, function, torch, batch, names), tolerance, seed, length)


def _report(cell: Cell, caller: Caller, tolerance: float | None, seed: int, length: int | None) -> GradientReport:
    zero = frozenset(caller.untaken_starts)
    lengths = lengths_for(cell, _length(cell, caller, length))
    way = Way(cell, caller.batch, zero, caller.own_targets)
    cases = cases_for(way, seed, lengths)
    _check_passed(cell, cases[0])
    answers = [caller(case) for case in cases]
    again = [answers[0], caller(cases[0])]  # the first once more, after others
    different = list(differing(dict(again[0].arrays), dict(again[1].arrays)))
    raised: list[str] = []
    for case in beyond(way, seed, cases[0], _length(cell, caller, length)):
        try:
            answers.append(caller(case))
            cases.append(case)
        except DataError as error:
            raised.append(error.message)
    measured, unchecked = _measured(caller, cases, answers, tolerance)
    findings = _findings(cell, measured, different)
    faults = (*_faults([*answers, *again], different), *raised)
    return GradientReport(
        findings, _missing(cell, caller, answers[0]), tuple(unchecked), tuple(_notes(caller, measured, answers[0])), faults,
        tuple(f"{name}: {said}" if said else name for name, said in unchecked.items()), _tried(cases),
    )  # fmt: skip


# -- options -------------------------------------------------------------------------------------------


def _names(returns: Sequence[str] | str | None) -> tuple[str, ...] | None:
    if returns is None:
        return None
    names = (returns,) if isinstance(returns, str) else returns
    if not isinstance(names, (list, tuple)) or not names or not all(isinstance(name, str) for name in names):
        raise UsageError(f"returns is {clipped(repr(returns), 60)}", expected="names such as ['dW', 'db']")
    return tuple(names)


def _check_options(cell: Cell, tolerance: object, seed: object, length: object) -> None:
    number = isinstance(tolerance, Real) and not isinstance(tolerance, bool)
    if tolerance is not None and not (number and 0 < float(tolerance) < float("inf")):  # type: ignore[arg-type]
        raise UsageError(f"tolerance is {clipped(repr(tolerance), 60)}", expected="a positive number such as 1e-6")
    if not _is_whole(seed) or seed < 0:  # type: ignore[operator]
        raise UsageError(f"seed is {clipped(repr(seed), 60)}", expected="a whole number from 0 on")
    least = Signature(cell).least
    if length is not None and not (_is_whole(length) and least <= length <= LONGEST):  # type: ignore[operator]
        raise UsageError(f"length is {clipped(repr(length), 60)}", expected=f"a whole number from {least} to {LONGEST}")


def _check_passed(cell: Cell, case: Case) -> None:
    """What an abstract loss passes has to fit into arrays with a row for each step."""
    for term in cell.loss_terms:
        times = case.points[0].run.loss_times(term)
        if term.body.atoms(e.Call) and len(times) and min(times) < 1:
            raise UsageError(
                f"the loss reads step {min(times)}, which is in no array of gradients that a function takes",
                expected="a loss from step 1 on, or one that is written out",
            )


def _is_whole(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _length(cell: Cell, caller: Caller, length: int | None) -> int | None:
    """The only length for which a function is made: the one asked for, or the number of steps that it takes one by one."""
    own, least = caller.length, Signature(cell).least
    if own is None or (length is None and least <= own <= LONGEST) or (length is not None and own <= length):
        return own if length is None else int(length)
    most = LONGEST if length is None else length
    expected = f"steps up to {most}" if own > most else f"{least} steps at least"
    raise UsageError(f"the function takes step {own} of an input", expected=expected)


# -- parts ---------------------------------------------------------------------------------------------


def _measured(
    caller: Caller, cases: Sequence[Case], answers: Sequence[Answer], tolerance: float | None
) -> tuple[list[Measured], dict[str, str]]:
    """Every array that has something to be held against; and of the other names, why they have not."""
    found, unchecked = [], {}
    for name in dict.fromkeys(name for answer in answers for name in answer.arrays):
        target = caller.naming.target(name)
        if target is None:
            unchecked[name] = "the cell has no such quantity"
            continue
        one = Measured(name, target, cases, [answer.arrays.get(name) for answer in answers], tolerance)
        if one.known:
            found.append(one)
        else:
            unchecked[name] = _unknown(target, max(case.length for case in cases))
    return found, unchecked


def _unknown(target: Target, longest: int) -> str:
    if target.kind == "loss":
        return "the cell leaves its loss open"
    step = target.step(longest)
    return f"there is no step {step}" if step is not None and not 1 <= step <= longest else "it is not known"


def _findings(cell: Cell, measured: Sequence[Measured], different: Sequence[str]) -> tuple[Finding, ...]:
    steady = [one for one in measured if one.name not in different]
    said = why(cell, steady)
    found = []
    for one in measured:
        if not one.wrong:
            found.append(Finding(one.name, str(one.target), True, one.error, "transposed" if one.turned else ""))
        else:
            found.append(Finding(one.name, str(one.target), False, one.error, one.where, said.get(one.name, "")))
    return tuple(found)


def _missing(cell: Cell, caller: Caller, answer: Answer) -> tuple[str, ...]:
    """Parameters by which there is no gradient; what the loss alone reads is a target."""
    targets = [caller.naming.target(name) for name in answer.arrays]
    given = {target.key for target in targets if target is not None}
    read = {leaf.name for formula in (*(q.rhs for q in cell.steps), *cell.initial.values()) for leaf in leaves(formula)}
    return tuple(key for key in cell.parameters if key in read and key not in given and key not in cell.labels)


def _faults(answers: Sequence[Answer], different: Sequence[str]) -> Iterator[str]:
    changed = list(dict.fromkeys(name for answer in answers for name in answer.changed))
    if changed:
        yield f"the function changes what it is given: {', '.join(changed)}"
    if different:
        yield f"not the same in two calls with the same arguments: {', '.join(different)}; something is kept from call to call, or random"


def _notes(caller: Caller, measured: Sequence[Measured], answer: Answer) -> Iterator[str]:
    for start in caller.untaken_starts:
        yield f"{start} is zero: the function does not take it"
    if any(one.wrong for one in measured):
        for key in caller.untaken_cotangents:
            yield f"the function does not take d{key}, which the loss passes; or give the cell its loss"
    for precision in dict.fromkeys(one.precision for one in measured if one.precision != "float64"):
        names = [one.name for one in measured if one.precision == precision]
        yield f"of {precision}, held to {min(one.tolerance for one in measured if one.precision == precision):.0e}: {', '.join(names)}"
    yield from answer.unnamed


def _tried(cases: Sequence[Case]) -> str:
    """The lengths and sizes of the cases in words."""
    said = []
    for sizes in dict.fromkeys(case.sizes for case in cases):
        lengths = sorted({case.length for case in cases if case.sizes == sizes})
        said.append(f"T = {', '.join(map(str, lengths))}{f' with {sizes}' if sizes else ''}")
    large = ["once with large gradients"] if any(case.beyond == "scale" for case in cases) else []
    return f"tried: {'; '.join([*said, *large])}"


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
