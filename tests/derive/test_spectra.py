"""Powers and eigenvalues against NumPy and published numbers."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp

from derive.cell import cell
from derive.ranges import ranges
from derive.spectra import behaviour, eigendecomposition, from_sympy, growth, power_theorem, scalar, to_sympy

R = sp.Rational
W = sp.Matrix([[R("0.58"), R("0.24")], [R("0.24"), R("0.72")]])


def test_the_eigendecomposition_of_the_sheet() -> None:
    found = eigendecomposition(W)
    assert found.eigenvalues == (R(2, 5), R(9, 10))
    assert found.basis * found.values * found.basis.T == W
    assert found.basis == sp.Matrix([[R(4, 5), R(3, 5)], [R(-3, 5), R(4, 5)]])


def test_the_thirtieth_power_against_numpy() -> None:
    exact = np.array(eigendecomposition(W).power(30).tolist(), dtype=float)
    repeated = np.linalg.matrix_power(np.array(W.tolist(), dtype=float), 30)
    np.testing.assert_allclose(exact, repeated, rtol=1e-13)
    np.testing.assert_allclose(
        np.array(eigendecomposition(W).rounded_power(30, 6).tolist(), dtype=float),
        np.round(repeated, 6),
        rtol=0,
        atol=1e-15,
    )


@pytest.mark.parametrize(
    ("matrix", "word"),
    [
        (W, "vanishes"), (sp.Matrix([[2, 0], [0, R(1, 2)]]), "explodes"), (sp.eye(2), "stays bounded"),
        (sp.Matrix([[1, 1], [0, 1]]), "grows like a power of n"),
        (sp.Matrix([[0, -1], [1, 0]]), "stays bounded"), (sp.Matrix([[0, 5], [0, 0]]), "vanishes"),
        (sp.Matrix([[1, 5], [0, R(1, 2)]]), "stays bounded"),
    ],
)  # fmt: skip
def test_behaviour(matrix: sp.Matrix, word: str) -> None:
    assert behaviour(matrix) == word
    far = np.linalg.norm(np.linalg.matrix_power(np.array(matrix.tolist(), dtype=float), 400), 2)
    assert {
        "vanishes": far < 1e-3,
        "explodes": far > 1e3,
        "stays bounded": far < 100,
        "grows like a power of n": far > 100,
    }[word]


@pytest.mark.parametrize(
    "matrix",
    [
        W,
        sp.Matrix([[1, 1], [0, 1]]),
        sp.Matrix([[0, -1], [1, 0]]),
        sp.Matrix([[1, 2, 0], [0, R(1, 2), 1], [1, 0, R(1, 3)]]),
    ],
)
def test_growth_against_numpy(matrix: sp.Matrix) -> None:
    found = growth(matrix, "", 12)
    array = np.array(matrix.tolist(), dtype=float)
    norms = [np.linalg.norm(np.linalg.matrix_power(array, n), 2) for n in range(1, 13)]
    np.testing.assert_allclose(found.norms, norms, rtol=1e-10)
    assert sorted(np.abs(found.eigenvalues)) == pytest.approx(sorted(np.abs(np.linalg.eigvals(array))), abs=1e-7)


def test_the_theorem_is_an_induction() -> None:
    rules = [step.rule for step in power_theorem().steps]
    assert (
        rules[1].startswith("base case")
        and "induction hypothesis, for some n ≥ 1" in rules
        and rules[-1].startswith("induction")
    )
    lines = [step.latex() for step in power_theorem().steps]
    assert r"M^1 = Q \Lambda^1 Q^{-1}" in lines and lines[-1] == r"M^n = Q \Lambda^n Q^{-1}"


@pytest.mark.parametrize("text", ["0.58", "-0.24", "3", "0.015260816979815703028094378017", "-12.5"])
def test_decimals_keep_their_digits(text: str) -> None:
    node = scalar(R(text))
    assert node.latex() == text
    assert to_sympy(from_sympy(sp.Matrix([[R(text)]])))[0, 0] == R(text)


def test_ranges_hold_for_random_values() -> None:
    from numeric.draws import draw, run_of

    for name in ("lstm", "gru", "rnn"):
        subject = cell(name)
        intervals = ranges(subject)
        for seed in range(5):
            run = run_of(subject, draw(subject, seed, scale=2.0))
            for key, interval in intervals.items():
                values = run.value(key, run.length)
                assert np.all(values >= float(interval.low)) and np.all(values <= float(interval.high))
    assert [key for key, interval in ranges(cell("lstm")).items() if interval.positive] == ["f", "i", "o"]
