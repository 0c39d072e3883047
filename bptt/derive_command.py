"""``bptt derive``."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from derive.cell import Cell, cell
from derive.derivation import Derivation
from derive.errors import UsageError

_FORMATS: dict[str, Callable[[Derivation], str]] = {"text": str, "latex": Derivation.latex, "json": Derivation.json}


def run_derive(options: argparse.Namespace) -> int:
    """Derive what was asked for and print it."""
    _check(options)
    subject = cell(options.cell)
    derivation = _derivation(subject, options)
    print(_FORMATS[options.format](derivation))
    if options.validate:
        _validate(subject, derivation, options)
    return 0


def _check(options: argparse.Namespace) -> None:
    if (options.of is None) != (options.wrt is None):
        raise UsageError("--of and --wrt go together", expected="--of 'C_t' --wrt 'C_{t-1}'")
    if options.of is not None and options.gradient is not None:
        raise UsageError("--of/--wrt and --gradient ask for two things", expected="one of them")
    if options.gradient is None and (options.form or options.steps or options.prove):
        raise UsageError("--form, --steps and --prove go with --gradient", expected="--gradient W")
    if options.steps is not None and options.form != "unrolled":
        raise UsageError("--steps goes with --form unrolled", expected="--form unrolled --steps N")
    if options.prove and options.form:
        raise UsageError("--prove shows both forms", expected="--gradient W --prove")


def _derivation(subject: Cell, options: argparse.Namespace) -> Derivation:
    if options.of is not None:
        return subject.jacobian(options.of, options.wrt)
    if options.gradient is None:
        return subject.gradients() if subject.loss_terms else _only_jacobian(subject)
    if options.prove:
        return subject.equivalence(options.gradient)
    return subject.gradient(options.gradient, form=options.form or "recursion", steps=3 if options.steps is None else options.steps)


def _only_jacobian(subject: Cell) -> Derivation:
    """What there is to say of a formula without time: its Jacobian by each vector that it reads."""
    vectors = [key for key in subject.parameters if 1 in subject.shapes[key]]
    if not vectors:
        raise UsageError("the formula has no time and no vector to differentiate by", expected="--of A --wrt B")
    last = subject.equations[-1].key
    return subject.jacobian(last, vectors[0])


def _validate(subject: Cell, derivation: Derivation, options: argparse.Namespace) -> None:
    import sys

    from numeric.validate import validate_derivation, validate_gradients

    whole = options.of is None and options.gradient is None and bool(subject.loss_terms)
    measured = validate_gradients(subject) if whole or options.prove else validate_derivation(subject, derivation)
    print(measured, file=sys.stderr)
