"""``bptt derive``."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from bptt import console
from bptt.progress import Progress
from derive.cell import Cell, cell
from derive.derivation import Derivation
from derive.errors import UsageError

if TYPE_CHECKING:
    from numeric.bounds import BoundMeasure
    from numeric.validate import Validation

_FEW_DRAWS = 5
"""For the double sum, whose truth runs the whole unrolled system once for every entry of every derivative in it."""


def run_derive(options: argparse.Namespace) -> int:
    """Derive what was asked for and print it."""
    _check(options)
    with Progress() as progress:
        progress.say("reading the cell")
        subject = cell(options.cell)
        progress.say("proving" if options.prove else "deriving")
        derivation = _derivation(subject, options)
        text = (
            None
            if options.format == "json"
            else derivation.latex()
            if options.format == "latex"
            else derivation.text(console.width())
        )
    if text is None:
        console.say_json(derivation.data())
    else:
        console.say(text)
    if options.validate:
        _validate(subject, derivation, options)
    return 0


_GOALS = {
    "--of and --wrt": "of", "--jacobian": "jacobian", "--gradient": "gradient", "--hessian-vector": "hessian_vector",
    "--bound": "bound",
}  # fmt: skip
"""What can be asked for, one at a time, and the option's name."""


def _check(options: argparse.Namespace) -> None:
    if (options.of is None) != (options.wrt is None):
        raise UsageError("--of and --wrt go together", expected="--of 'C_t' --wrt 'C_{t-1}'")
    goals = [flag for flag, name in _GOALS.items() if getattr(options, name)]
    if len(goals) > 1:
        raise UsageError(f"{' and '.join(goals[:2])} ask for two things", expected="one of them")
    if options.vec and not (options.of or options.jacobian):
        raise UsageError("--vec goes with Jacobians", expected="--of 'S_t' --wrt 'S_{t-1}' --vec, or --jacobian --vec")
    if options.gradient is None:
        ways = {
            "--form": options.form,
            "--steps": options.steps,
            "--prove": options.prove,
            "--truncate-after": options.truncate_after,
        }
        for flag, value in ways.items():
            if value:
                raise UsageError(f"{flag} goes with --gradient", expected="--gradient W")
    if options.steps is not None and options.form != "unrolled":
        raise UsageError("--steps goes with --form unrolled", expected="--form unrolled --steps N")
    if options.prove and (options.form or options.truncate_after):
        raise UsageError("--prove shows both forms", expected="--gradient W --prove")


def _derivation(subject: Cell, options: argparse.Namespace) -> Derivation:
    if options.of is not None or options.jacobian:
        return subject.jacobian(options.of, options.wrt, options.vec)
    if options.hessian_vector:
        return subject.hessian_vector()
    if options.bound:
        return subject.norm_bound()
    if options.gradient is None:
        return subject.gradients() if subject.loss_terms else _only_jacobian(subject)
    if options.prove:
        return subject.equivalence(options.gradient)
    steps = 3 if options.steps is None else options.steps
    return subject.gradient(options.gradient, options.form or "recursion", steps, options.truncate_after)


def _only_jacobian(subject: Cell) -> Derivation:
    """What there is to say of a formula without time: its Jacobian by each vector that it reads."""
    vectors = [key for key in subject.parameters if 1 in subject.shapes[key]]
    if not vectors:
        raise UsageError("the formula has no time and no vector to differentiate by", expected="--of A --wrt B")
    last = subject.equations[-1].key
    return subject.jacobian(last, vectors[0])


def _validate(subject: Cell, derivation: Derivation, options: argparse.Namespace) -> None:
    with Progress() as progress:
        progress.say("measuring against torch autograd")
        found = list(map(str, _measured(subject, derivation, options)))
    for line in found:
        console.tell(f"measured {line}" if options.bound else f"measured against torch autograd: {line}")


def _measured(
    subject: Cell, derivation: Derivation, options: argparse.Namespace
) -> Iterator[Validation | BoundMeasure]:
    from numeric.bounds import measure_bound
    from numeric.validate import validate_derivation, validate_gradients, validate_hessian_vector

    if options.prove:
        # The proof says that two forms are equal; measured is that each of them is the gradient.
        for form, draws in (("recursion", 20), ("double-sum", _FEW_DRAWS)):
            one = subject.gradient(options.gradient, form=form)
            yield replace(
                validate_derivation(subject, one, draws), subject=f"{one.target} by the {form.replace('-', ' ')}"
            )
    elif options.bound:
        yield from measure_bound(subject, derivation=derivation)
    elif options.hessian_vector:
        yield validate_hessian_vector(subject)
    elif not any(getattr(options, name) for name in _GOALS.values()) and subject.loss_terms:
        yield replace(validate_gradients(subject), subject="the loss and all its gradients")
    else:
        yield validate_derivation(subject, derivation)
