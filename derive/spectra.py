"""Powers of matrices and their eigenvalues: Wⁿ = QΛⁿQ⁻¹ with its proof, exact powers, and what long products do.

Repeated steps of a linear recurrence multiply by the same matrix; with a nonlinearity each factor is diag(σ'(z_j)) W
and differs.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import mpmath
import sympy as sp
from sympy import Integer, Rational

from derive import expressions as e
from derive.derivation import Derivation, Step
from derive.errors import ShapeError, UsageError, ValidationError
from derive.expressions import make
from derive.normal import equal

MAX_ROWS = 6
"""Rows of the largest matrix whose eigenvalues are found exactly."""
MAX_POWER = 200
"""The highest exact power of a matrix of numbers."""


@dataclass(frozen=True)
class Eigendecomposition:
    """M = Q Λ Q⁻¹ with exact entries; ``diagonalizable`` is False where there is none, and then Q and Λ are the Jordan
    basis and form.
    """

    matrix: sp.Matrix
    basis: sp.Matrix
    values: sp.Matrix
    diagonalizable: bool

    @property
    def eigenvalues(self) -> tuple[sp.Expr, ...]:
        return tuple(self.values[k, k] for k in range(self.values.rows))

    def power(self, exponent: int) -> sp.Matrix:
        """Mⁿ, exact."""
        check_power(exponent)
        return self.matrix**exponent

    def agrees(self, exponent: int = 1) -> bool:
        """Whether Q Λⁿ Q⁻¹ is Mⁿ: exactly where all numbers are rational, with roots to 60 digits."""
        power, factors = self.power(exponent), (self.basis, self.values, self.basis.inv())
        if all(entry.is_Rational for factor in factors for entry in factor):
            return bool(self.basis * self.values**exponent * factors[2] == power)
        basis, values, inverse = (factor.evalf(150) for factor in factors)
        scale = max(abs(entry) for entry in power)
        return all(abs(entry) <= scale * sp.Float("1e-60") for entry in basis * values**exponent * inverse - power)

    def rounded_power(self, exponent: int, digits: int) -> sp.Matrix:
        """Mⁿ with its entries rounded to a number of decimals (half to even is never met by more digits: exact
        rationals are rounded).
        """
        return self.power(exponent).applyfunc(
            lambda entry: sp.Rational(str(round(Fraction(sp.Rational(sp.nsimplify(entry))), digits)))
        )


def to_sympy(node: e.Node) -> sp.Matrix:
    """A matrix of numbers as a SymPy matrix.

    Raises
    ------
    ShapeError : an entry is not a number.
    """
    if isinstance(node, e.Block):
        return sp.Matrix([[_entry(entry) for entry in row] for row in node.rows])
    raise ShapeError(f"{node} is not a matrix of numbers")


def _entry(node: e.Node) -> sp.Expr:
    if isinstance(node, e.Scalar):
        return node.value
    if isinstance(node, e.Neg):
        return -_entry(node.operands[0])
    if isinstance(node, e.Divide):
        above, below = node.operands
        return _entry(above) / _entry(below)
    raise ShapeError(f"{node} is not a number")


def from_sympy(matrix: sp.Matrix) -> e.Node:
    """A SymPy matrix as an expression; decimals that end are printed as decimals."""
    return e.Block([[scalar(matrix[i, j]) for j in range(matrix.cols)] for i in range(matrix.rows)])


def scalar(value: sp.Expr) -> e.Node:
    """A number as an expression, as a decimal where it has finitely many (and few) digits."""
    value = sp.nsimplify(value) if value.is_Float else value
    if value.is_Integer:
        return e.Scalar(value)
    if value.is_Rational:
        denominator = int(value.q)
        for prime in (2, 5):
            while denominator % prime == 0:
                denominator //= prime
        if denominator == 1:
            digits = next(k for k in range(1, 400) if (value * 10**k).is_Integer)
            sign, whole = ("-", -value) if value < 0 else ("", value)
            text = str(int(whole * 10**digits)).rjust(digits + 1, "0")
            return e.Scalar(value, f"{sign}{text[:-digits]}.{text[-digits:]}")
    return e.Scalar(value)


def eigendecomposition(matrix: sp.Matrix) -> Eigendecomposition:
    """The exact eigendecomposition, with orthonormal eigenvectors for a symmetric matrix and real eigenvalues in
    ascending order.

    Raises
    ------
    UsageError : see :func:`check_exact`.
    """
    check_exact(matrix)
    basis, values = matrix.jordan_form()
    diagonalizable = values.is_diagonal()
    order = list(range(matrix.rows))
    if diagonalizable and all(values[k, k].is_real for k in order):
        order.sort(key=lambda k: values[k, k])
        basis = sp.Matrix.hstack(*(basis[:, k] for k in order))
        values = sp.diag(*(values[k, k] for k in order))
    if diagonalizable and matrix.is_symmetric():
        columns = sp.GramSchmidt([basis[:, k] for k in range(basis.cols)], orthonormal=True)
        basis = sp.Matrix.hstack(*(_facing_forward(column.applyfunc(sp.nsimplify)) for column in columns))
    return Eigendecomposition(matrix, basis, values, diagonalizable)


def check_exact(matrix: sp.Matrix) -> None:
    """Check that the eigenvalues can be written down: rational numbers and square roots.

    Raises
    ------
    UsageError : they cannot, or see :func:`characteristic_factors`.
    """
    if any(factor.degree() > 2 for factor, _ in characteristic_factors(matrix)):
        raise UsageError(
            "the eigenvalues of this matrix are no rational numbers or square roots, and cannot be written down in short",
            expected="a characteristic polynomial with factors of degree 1 and 2",
            hint="a triangular matrix, or a 2 x 2 matrix, has one",
        )


def characteristic_factors(matrix: sp.Matrix) -> list[tuple[sp.Poly, int]]:
    """The factors of the characteristic polynomial over the rational numbers, with their multiplicities.

    Raises
    ------
    UsageError : the matrix is not square, or too large.
    """
    if matrix.rows != matrix.cols:
        raise UsageError(f"a {matrix.rows} x {matrix.cols} matrix has no eigenvalues", expected="a square matrix")
    if matrix.rows > MAX_ROWS:
        raise UsageError(f"a {matrix.rows} x {matrix.cols} matrix is too large", expected=f"at most {MAX_ROWS} rows")
    polynomial = matrix.charpoly()
    return [(sp.Poly(factor, polynomial.gen), count) for factor, count in sp.factor_list(polynomial.as_expr())[1]]


def check_power(exponent: int) -> None:
    """Check that an exact power is not too long.

    Raises
    ------
    UsageError : the exponent is larger than ``MAX_POWER``.
    """
    if abs(exponent) > MAX_POWER:
        raise UsageError(
            f"the power {exponent:,} of a matrix has too many digits", expected=f"an exponent of at most {MAX_POWER:,}"
        )


def _facing_forward(column: sp.Matrix) -> sp.Matrix:
    """An eigenvector with its first entry that is not zero positive, so that it is the same on every machine."""
    first = next(entry for entry in column if entry != 0)
    return -column if first.is_negative else column


def power_theorem() -> Derivation:
    """Mⁿ = Q Λⁿ Q⁻¹ for every natural n, by induction; each line of algebra is checked by canonical forms.

    Source: Strang, *Introduction to Linear Algebra* (2016), section 6.2.
    """
    n, size = sp.Symbol("n", integer=True, positive=True), e.size("p")
    M, Q, D = (e.Var(name, size, size) for name in ("M", "Q", "Lambda"))
    inverse = e.Inverse(Q)
    decomposition = e.Times(Q, D, inverse)

    def claim(exponent: sp.Expr) -> e.Node:
        return e.Times(Q, make.matrix_power(D, exponent), inverse)

    first = Integer(1)
    base = e.Times(Q, e.MatrixPower(D, first), inverse)
    if not equal(base, decomposition):
        raise ValidationError("the base case of Mⁿ = QΛⁿQ⁻¹ does not hold")
    steps = [
        Step(M, decomposition, "eigendecomposition", "the columns of Q are eigenvectors", proved="definition"),
        Step(
            e.MatrixPower(M, first), M, "base case n = 1", "the first power is the matrix itself", proved="definition"
        ),
        Step(e.MatrixPower(M, first), base, "the decomposition itself", "", proved="algebra"),
        Step(
            e.MatrixPower(M, n),
            claim(n),
            "induction hypothesis, for some n ≥ 1",
            "assume it for one n",
            proved="induction",
        ),
        Step(e.MatrixPower(M, n + 1), e.Times(e.MatrixPower(M, n), M), "definition of a power", proved="definition"),
        Step(
            e.MatrixPower(M, n + 1),
            e.Times(claim(n), decomposition),
            "hypothesis and decomposition",
            "for Mⁿ and for M",
        ),
    ]
    joined = e.Times(Q, e.MatrixPower(D, n), e.Identity(size), D, inverse)
    steps.append(Step(e.MatrixPower(M, n + 1), joined, "inner factors cancel", "Q⁻¹ Q = I"))
    folded = e.Times(Q, e.Times(e.MatrixPower(D, n), D), inverse)
    if not equal(joined, folded):
        raise ValidationError("the induction step of Mⁿ = QΛⁿQ⁻¹ does not hold")
    steps.append(
        Step(
            e.MatrixPower(M, n + 1),
            claim(n + 1),
            "power of a diagonal matrix",
            "each eigenvalue is multiplied once more",
            proved="algebra",
        )
    )
    steps.append(
        Step(
            e.MatrixPower(M, n),
            claim(n),
            "induction: for every n ≥ 1",
            "true for 1, and for n+1 whenever for n: true for every n",
            proved="induction",
        )
    )
    return Derivation(e.MatrixPower(M, n), claim(n), tuple(steps), "Powers through the eigendecomposition")


@dataclass(frozen=True)
class Growth:
    """Norms of powers of a matrix, and what its eigenvalues make of them."""

    label: str
    eigenvalues: tuple[complex, ...]
    norms: tuple[float, ...]
    """‖Wⁿ‖ for n = 1, 2, ... (spectral norm)."""
    behaviour: str


def growth(matrix: sp.Matrix, label: str, count: int = 60) -> Growth:
    """‖Wⁿ‖ for n = 1 .. count, computed with exact powers, and a word for what happens."""
    values = _numeric_eigenvalues(matrix)
    check_power(count)
    norms, power = [], sp.eye(matrix.rows)
    for _ in range(count):
        power = power * matrix
        # The spectral norm is the root of the largest eigenvalue of P^T P; for real matrices of exact numbers mpmath
        # gives it to 15 digits.
        norms.append(_spectral_norm(power))
    return Growth(label, values, tuple(norms), behaviour(matrix))


def _numeric_eigenvalues(matrix: sp.Matrix) -> tuple[complex, ...]:
    roots = [
        complex(root)
        for factor, count in characteristic_factors(matrix)
        for root in factor.nroots(n=30)
        for _ in range(count)
    ]
    return tuple(sorted(roots, key=lambda value: (abs(value), value.real, value.imag)))


def _spectral_norm(matrix: sp.Matrix) -> float:
    gram = sp.Matrix(matrix.T * matrix)
    if gram.rows == 2:
        # Exact up to the roots: SymPy would look for squares in numbers of thousands of digits.
        trace, determinant = gram.trace(), gram.det()
        return float(mpmath.sqrt((_decimal(trace) + mpmath.sqrt(_decimal(trace**2 - 4 * determinant))) / 2))
    eigenvalues = mpmath.eigsy(mpmath.matrix(gram.evalf(30).tolist()), eigvals_only=True)
    return float(mpmath.sqrt(max(eigenvalues)))


def _decimal(value: sp.Rational) -> mpmath.mpf:
    """A number to 40 digits."""
    with mpmath.workdps(40):
        return mpmath.mpf(int(value.p)) / int(value.q)


def behaviour(matrix: sp.Matrix) -> str:
    """What Wⁿ does for large n: ``vanishes``, ``explodes``, ``stays bounded`` or ``grows like a power of n``.

    The powers stay bounded exactly if every eigenvalue has absolute value at most 1 and those of absolute value 1 have
    no Jordan block of size 2.
    """
    factors = characteristic_factors(matrix)
    if any(factor.degree() > 2 for factor, _ in factors):
        sizes = [abs(root) for factor, _ in factors for root in factor.nroots(n=40)]
        if all(abs(size - 1) > 1e-20 for size in sizes):
            return "explodes" if any(size > 1 for size in sizes) else "vanishes"
        check_exact(matrix)
    _, jordan = matrix.jordan_form()
    sizes = [sp.Abs(jordan[k, k]) for k in range(jordan.rows)]
    if all((size < 1) == sp.true for size in sizes):
        return "vanishes"
    if any((size > 1) == sp.true for size in sizes):
        return "explodes"
    chained = any(jordan[k, k + 1] != 0 and sp.Eq(sizes[k], 1) == sp.true for k in range(jordan.rows - 1))
    return "grows like a power of n" if chained else "stays bounded"


__all__ = [
    "Eigendecomposition",
    "Growth",
    "Rational",
    "behaviour",
    "eigendecomposition",
    "from_sympy",
    "growth",
    "power_theorem",
    "scalar",
    "to_sympy",
]
