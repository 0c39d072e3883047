"""What was measured of a derivation: a sentence below it, and the block ``measurements`` with all of them."""

from __future__ import annotations

from collections.abc import Sequence

from derive import expressions as e
from derive.cell import Cell
from derive.derivation import Derivation
from derive.notation import surface as s
from derive.notation.names import QName
from derive.notation.present import present
from numeric.validate import Validation
from reports.block_calls import BlockCall
from reports.blocks.context import Measurement, context_of
from reports.blocks.phrases import scientific
from reports.blocks.registry import REGISTRY
from reports.document import Alignment, Block, Inlines, Math, Table, words

_FORMS = (
    ("as a double sum", ", double sum"),
    ("written out", ", written out"),
    ("by the adjoint recursion", ", adjoint recursion"),
)
"""How the titles of derivations name the written form of a gradient, and how the table does."""


def measurement(
    subject: Cell, name: str, derivation: Derivation, validation: Validation, result: Inlines = ()
) -> Measurement:
    """The entry for one derivation; ``name``: the cell's on the sheet, ``result``: what was derived, if not one
    derivative.
    """
    form = next((said for phrase, said in _FORMS if phrase in derivation.title), "")
    timed = any(isinstance(equation.lhs, e.Timed) for equation in subject.equations)
    return Measurement(result or (Math(present(derivation.target)), *words(form)), name, validation, timed)


def measured_sentence(entry: Measurement) -> Inlines:
    """How well a result agrees with automatic differentiation."""
    measured = entry.validation
    agreement = (
        words("exactly equal")
        if measured.error == 0
        else (*words("relative error at most "), *scientific(measured.error))
    )
    return (
        *words("Against automatic differentiation: "),
        *agreement,
        *words(f" in {measured.draws} draws"),
        *_drawn(entry),
        *words("."),
    )


def _drawn(entry: Measurement) -> Inlines:
    """with n, d, T ≤ 6: which sizes and lengths were drawn, the state's size first."""
    names = [
        QName.from_key(name).surface()
        for name in sorted(entry.validation.sizes, key=lambda name: (not name.startswith("n"), name))
    ]
    low, high = entry.validation.lengths
    most = largest_size(len(names))
    length = s.Name("T")
    if entry.timed and (low, high) == (1, most):
        return _bounded([*names, length], most)
    exact = s.Relation(("=",), (length, s.Number(str(high))))
    between = s.Relation(("<=", "<="), (s.Number(str(low)), length, s.Number(str(high))))
    timed = (Math(exact if low == high else between),) if entry.timed else ()
    joined = words(" and ") if names and timed else words(" with ") if timed else ()
    return (*_bounded(names, most), *joined, *timed)


def _bounded(names: Sequence[s.Surface], most: int) -> Inlines:
    """with a, b ≤ most."""
    if not names:
        return ()
    listed = [piece for name in names[:-1] for piece in (Math(name), *words(", "))]
    return (*words(" with "), *listed, Math(s.Relation(("<=",), (names[-1], s.Number(str(most))))))


def largest_size(count: int) -> int:
    """The largest size of so many that are drawn; see :func:`numeric.draws.draw`."""
    return max(6, count + 2)


@REGISTRY.block("measurements", options=("caption",))
def measurements_block(call: BlockCall) -> Sequence[Block]:
    """``bptt measurements``: a table of everything that was measured so far."""
    entries = context_of(call).measurements
    if not entries:
        raise call.error(
            "nothing was measured before this block", expected="a block such as jacobian or gradient above it"
        )
    header = (
        words("result"),
        words("cell"),
        words("draws"),
        (*words("length "), Math(s.Name("T"))),
        words("largest relative error"),
    )
    rows = tuple(
        (entry.subject, words(entry.cell), words(str(entry.validation.draws)), _drawn_length(entry), _error(entry))
        for entry in entries
    )
    alignments: tuple[Alignment, ...] = ("left", "left", "center", "center", "right")
    return [Table(header, rows, alignments, call.sentence("caption"))]


def _drawn_length(entry: Measurement) -> Inlines:
    low, high = entry.validation.lengths
    if not entry.timed:
        return words("–")
    return words(str(low) if low == high else f"{low} to {high}")


def _error(entry: Measurement) -> Inlines:
    return scientific(entry.validation.error)
