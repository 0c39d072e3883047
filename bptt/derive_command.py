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


def _check(options: argparse.Namespace) -> None:
    if (options.of is None) != (options.wrt is None):
        raise UsageError("--of and --wrt go together", expected="--of 'C_t' --wrt 'C_{t-1}'")
    if options.of is not None and options.gradient is not None:
        raise UsageError("--of/--wrt and --gradient ask for two things", expected="one of them")
    if options.vec and options.of is None:
        raise UsageError("--vec goes with --of and --wrt", expected="--of 'S_t' --wrt 'S_{t-1}' --vec")
    if options.gradient is None and (options.form or options.steps is not None or options.prove):
        raise UsageError("--form, --steps and --prove go with --gradient", expected="--gradient W")
    if options.steps is not None and options.form != "unrolled":
        raise UsageError("--steps goes with --form unrolled", expected="--form unrolled --steps N")
    if options.prove and options.form:
        raise UsageError("--prove shows both forms", expected="--gradient W --prove")


def _derivation(subject: Cell, options: argparse.Namespace) -> Derivation:
    if options.of is not None:
        return subject.jacobian(options.of, options.wrt, options.vec)
    if options.gradient is None:
        return subject.gradients() if subject.loss_terms else _only_jacobian(subject)
    if options.prove:
        return subject.equivalence(options.gradient)
    return subject.gradient(
        options.gradient, form=options.form or "recursion", steps=3 if options.steps is None else options.steps
    )


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
        found = list(_measured(subject, derivation, options))
    for validation in found:
        console.tell(f"measured against torch autograd: {validation}")


def _measured(subject: Cell, derivation: Derivation, options: argparse.Namespace) -> Iterator[Validation]:
    from numeric.validate import validate_derivation, validate_gradients

    if options.prove:
        # The proof says that two forms are equal; measured is that each of them is the gradient.
        for form, draws in (("recursion", 20), ("double-sum", _FEW_DRAWS)):
            one = subject.gradient(options.gradient, form=form)
            yield replace(
                validate_derivation(subject, one, draws), subject=f"{one.target} by the {form.replace('-', ' ')}"
            )
    elif options.of is None and options.gradient is None and subject.loss_terms:
        yield replace(validate_gradients(subject), subject="the loss and all its gradients")
    else:
        yield validate_derivation(subject, derivation)
