"""Every operation's rules against independent truths: complex step, the adjoint identity, torch, and a golden LaTeX
line.

The table below must name every operation that has operands; a new operation without an entry fails the test.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable

import numpy as np
import pytest
from sympy import Integer, Rational

from derive import expressions as e
from derive.differentiate import pull, push
from derive.errors import MissingRuleError
from derive.expressions.node import Node
from derive.functions import declared
from derive.linear import matrix_of
from numeric.evaluate import Evaluator

V, W_, C_ = Integer(3), Integer(2), Integer(4)
v, w = e.Var("v", V, 1), e.Var("w", V, 1)
r = e.Var("r", 1, V)
A, B = e.Var("A", V, W_), e.Var("B", W_, C_)
M, N = e.Var("M", V, V), e.Var("N", V, V)
s, q = e.Var("s"), e.Var("q")

TABLE: dict[str, tuple[Node, str]] = {
    "Plus": (e.Plus(v, w), "v + w"),
    "Plus with a scalar": (e.Plus(e.Scalar(1), s, v), "1 + s + v"),
    "Neg": (e.Neg(v), "-v"),
    "Times": (e.Times(M, v), "M v"),
    "Times of matrices": (e.Times(s, A, B), "s A B"),
    "Times outer": (e.Times(v, e.Transpose(w)), r"v w^\top"),
    "Times row": (e.Times(r, A), "r A"),
    "Hadamard": (e.Hadamard(v, w, v), r"v \odot w \odot v"),
    "Divide": (e.Divide(v, e.Plus(e.Scalar(3), s)), r"\frac{v}{3 + s}"),
    "Divide entrywise": (e.Divide(v, e.Plus(e.Scalar(4), w)), r"\frac{v}{4 + w}"),
    "Power": (e.Power(v, e.Scalar(3)), "v^3"),
    "Power of a scalar": (e.Power(e.Plus(e.Scalar(4), s), e.Scalar(Rational(1, 2))), r"(4 + s)^{\frac{1}{2}}"),
    "Power with an exponent that varies": (
        e.Power(e.Plus(e.Scalar(9), v), e.Divide(e.Scalar(1), e.Plus(e.Scalar(2), s))),
        r"(9 + v)^{\frac{1}{2+s}}",
    ),
    "MatrixPower": (e.MatrixPower(M, Integer(3)), "M^3"),
    "Inverse": (e.Inverse(e.Plus(e.Times(e.Scalar(5), e.Identity(V)), M)), "(5 I + M)^{-1}"),
    "Transpose": (e.Transpose(A), r"A^\top"),
    "Inner": (e.Inner(M, N), r"\langle M, N \rangle"),
    "Inner of vectors": (e.Inner(v, w), r"v \cdot w"),
    "SquaredNorm": (e.SquaredNorm(v), r"\lVert v \rVert^2"),
    "Apply": (e.Apply("sigma", v), r"\sigma(v)"),
    "Apply derivative": (e.Apply("tanh", v, 1), r"\tanh'(v)"),
    "Extreme": (e.Extreme("max", v, w), r"\max(v, w)"),
    "Extreme with a scalar": (e.Extreme("min", v, s), r"\min(v, s)"),
    "Softmax": (e.Softmax(v), r"\operatorname{softmax}(v)"),
    "Softmax of a row": (e.Softmax(r), r"\operatorname{softmax}(r)"),
    "Diag": (e.Diag(v), r"\operatorname{diag}(v)"),
    "Diag of a row": (e.Diag(r), r"\operatorname{diag}(r)"),
    "DiagPart": (e.DiagPart(M), r"\operatorname{diag}(M)"),
    "Trace": (e.Trace(M), r"\operatorname{tr}(M)"),
    "SumEntries": (e.SumEntries(A), r"\operatorname{sum}(A)"),
    "Norm": (e.Norm(v), r"\lVert v \rVert"),
    "Norm of a matrix": (e.Norm(M, "F"), r"\lVert M \rVert_F"),
    "Block": (e.Block([[v], [w]]), r"\begin{pmatrix} v \\ w \end{pmatrix}"),
    "Block of four": (e.Block([[M, v], [r, s]]), r"\begin{pmatrix} M & v \\ r & s \end{pmatrix}"),
    "Slice": (e.Slice(A, 1, 3, 0, 1), r"A_{[1 \colon 3, 0 \colon 1]}"),
}

WITHOUT_RULES = {
    "Kron": "results only", "Vec": "results only", "SumOver": "differentiated by the system",
    "ProductOver": "results only", "Derivative": "results only",
    "Differential": "notation only", "Gradient": "results only", "Relation": "notation only", "OneHot": "constant", "OverTime": "abstract",
    "Call": "tested with the systems",
    "Over": "abstract", "SumOverChildren": "tested with random trees", "ProductOverPath": "results only",
}  # fmt: skip


class _Values:
    def __init__(self, values: dict[str, np.ndarray]) -> None:
        self.values = values

    def value(self, key: str, time: int | None) -> np.ndarray:
        return self.values[key]


def _draw(node: Node, seed: int = 0) -> dict[e.Var, np.ndarray]:
    generator = np.random.default_rng(seed)
    leaves = sorted(node.atoms(e.Var), key=lambda leaf: leaf.name)
    return {leaf: generator.normal(size=tuple(int(a) for a in leaf.shape)) for leaf in leaves}


def _value(node: Node, values: dict[e.Var, np.ndarray]) -> np.ndarray:
    return Evaluator(_Values({leaf.name: value for leaf, value in values.items()}), {})(node)


def _direction(leaf: e.Var) -> e.Var:
    return e.Var(f"d{leaf.name}", *leaf.shape)


def test_the_table_names_every_operation() -> None:
    tested = {name.split(" ")[0] for name in TABLE}
    operations = {
        name
        for name, cls in inspect.getmembers(e, inspect.isclass)
        if issubclass(cls, Node) and not issubclass(cls, e.Leaf) and cls is not Node
    }
    assert operations == tested | set(WITHOUT_RULES)


@pytest.mark.parametrize("name", TABLE)
def test_jvp_agrees_with_the_complex_step(name: str) -> None:
    check_jvp(TABLE[name][0])


def check_jvp(node: Node) -> None:
    values = _draw(node)
    for leaf in values:
        direction = np.random.default_rng(1).normal(size=values[leaf].shape)
        moved = push(node, {leaf: _direction(leaf)})
        assert moved is not None
        derived = _value(moved, {**values, _direction(leaf): direction})
        stepped = np.imag(_value(node, {**values, leaf: values[leaf] + 1e-40j * direction})) / 1e-40
        np.testing.assert_allclose(np.broadcast_to(derived, stepped.shape), stepped, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", TABLE)
def test_vjp_is_the_adjoint_of_jvp(name: str) -> None:
    check_adjoint(TABLE[name][0])


def check_adjoint(node: Node) -> None:
    """⟨w̄, J v̇⟩ = ⟨Jᵀ w̄, v̇⟩."""
    values = _draw(node)
    cotangent = e.Var("cotangent", *node.shape)
    bar = np.random.default_rng(2).normal(size=tuple(int(a) for a in node.shape))
    passed = pull(node, cotangent)
    for leaf in values:
        direction = np.random.default_rng(3).normal(size=values[leaf].shape)
        moved = push(node, {leaf: _direction(leaf)})
        assert moved is not None and leaf in passed
        assert passed[leaf].shape == leaf.shape
        forward = np.sum(bar * _value(moved, {**values, _direction(leaf): direction}))
        backward = np.sum(_value(passed[leaf], {**values, cotangent: bar}) * direction)
        np.testing.assert_allclose(forward, backward, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("name", TABLE)
def test_vjp_agrees_with_torch(name: str) -> None:
    torch = pytest.importorskip("torch")
    from numeric.torch_arrays import TorchArrays

    node = TABLE[name][0]
    values = _draw(node)
    tensors = {
        leaf.name: torch.tensor(value, dtype=torch.float64, requires_grad=True) for leaf, value in values.items()
    }
    bar = np.random.default_rng(2).normal(size=tuple(int(a) for a in node.shape))
    result = Evaluator(_Values(tensors), {}, None, TorchArrays())(node)
    (result * torch.tensor(bar)).sum().backward()
    cotangent = e.Var("cotangent", *node.shape)
    for leaf, part in pull(node, cotangent).items():
        np.testing.assert_allclose(
            _value(part, {**values, cotangent: bar}), tensors[leaf.name].grad.numpy(), rtol=1e-10, atol=1e-11
        )


@pytest.mark.parametrize("name", TABLE)
def test_latex_golden(name: str) -> None:
    node, golden = TABLE[name]
    assert node.latex() == golden


@pytest.mark.parametrize("name", [name for name in TABLE if 1 in TABLE[name][0].shape])
def test_matrix_form_agrees_with_jvp(name: str) -> None:
    """The Jacobian matrix of an operation on a vector, times the direction, is the JVP."""
    node = TABLE[name][0]
    values = _draw(node)
    for leaf in values:
        if 1 not in leaf.shape:
            continue
        moved = push(node, {leaf: _direction(leaf)})
        assert moved is not None
        try:
            matrix = matrix_of(moved, _direction(leaf))
        except MissingRuleError:
            continue
        direction = np.random.default_rng(4).normal(size=values[leaf].shape)
        expected = _value(moved, {**values, _direction(leaf): direction})
        got = _value(matrix, values) @ direction.reshape(-1, 1)
        np.testing.assert_allclose(
            got.ravel(), np.broadcast_to(expected, tuple(int(a) for a in node.shape)).ravel(), rtol=1e-11, atol=1e-12
        )


@pytest.mark.parametrize("function", declared(), ids=lambda f: f.name)
@pytest.mark.parametrize("order", [0, 1])
def test_elementwise_functions(function: object, order: int) -> None:
    """f and f' of every declared function: the complex step of the one is the other, and both agree with the
    definition.
    """
    name = function.name  # type: ignore[attr-defined]
    x = np.array([[0.7], [1.3], [0.2]]) if name in ("log", "sqrt") else np.array([[0.7], [-1.3], [0.2]])
    node = e.Apply(name, v, order)
    values = {v: x}
    stepped = np.imag(_value(node, {v: x + 1e-30j})) / 1e-30 if name != "sign" else np.zeros_like(x)
    np.testing.assert_allclose(_value(e.Apply(name, v, order + 1), values), stepped, rtol=1e-9, atol=1e-12)
    definition = [complex(function.derivative(Rational(str(entry)), order).evalf(25)).real for entry in x.ravel()]  # type: ignore[attr-defined]
    np.testing.assert_allclose(_value(node, values).ravel(), definition, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("function", [f for f in declared() if f.parity], ids=lambda f: f.name)
def test_parity(function: object) -> None:
    x = np.array([[0.7], [-1.3], [0.0]])
    here, there = (_value(e.Apply(function.name, v), {v: sign * x}) for sign in (1, -1))  # type: ignore[attr-defined]
    np.testing.assert_allclose(
        there, {"odd": -here, "even": here, "complement": 1 - here}[function.parity], rtol=1e-14, atol=1e-15
    )  # type: ignore[attr-defined]


def _wrong_jvp(self: Node, tangents: tuple[Node | None, ...]) -> Node | None:
    """A planted error: the product rule forgets all terms but the first that varies."""
    for k, tangent in enumerate(tangents):
        if tangent is not None:
            return e.make.hadamard(*(tangent if j == k else operand for j, operand in enumerate(self.operands)))
    return None


def _wrong_vjp(self: Node, cotangent: Node) -> tuple[Node | None, ...]:
    """A planted error: both factors of a product get the same adjoint, untransposed."""
    left, right = self.operands
    return e.make.times(cotangent, e.make.transpose(right)), e.make.times(left, cotangent)


@pytest.mark.parametrize(
    ("cls", "rule", "wrong", "check", "node"),
    [
        (e.Hadamard, "jvp", _wrong_jvp, check_jvp, e.Hadamard(v, w, v)),
        (e.Times, "vjp", _wrong_vjp, check_adjoint, e.Times(M, N)),
        (e.Apply, "slope", lambda self: self, check_jvp, e.Apply("sigma", v)),
    ],
)
def test_a_planted_error_is_found(
    monkeypatch: pytest.MonkeyPatch,
    cls: type[Node],
    rule: str,
    wrong: Callable[..., object],
    check: Callable[[Node], None],
    node: Node,
) -> None:
    check(node)
    monkeypatch.setattr(cls, rule, wrong)
    with pytest.raises(AssertionError):
        check(node)
