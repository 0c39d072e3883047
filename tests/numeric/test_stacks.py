"""Stacks of matrices: each member has the value that it has alone, in every operation and in derivatives of cells."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Integer, Symbol

import bptt
from derive import expressions as e
from numeric import truth
from numeric.draws import draw, run_of
from numeric.evaluate import Evaluator
from numeric.functions import Array
from numeric.losses import SmoothLoss

N, D = Symbol("n", integer=True, positive=True), Symbol("d", integer=True, positive=True)
SIZES = {"n": 3, "d": 2}
A, B, C = e.Var("A", N, N), e.Var("B", N, N), e.Var("C", N, D)
V, W, S = e.Var("v", N, e.ONE), e.Var("w", N, e.ONE), e.Var("s", e.ONE, e.ONE)
NODES = {
    "sum": e.Plus(A, e.Neg(B)),
    "number beside a vector": e.Plus(e.Scalar(1), e.Neg(V)),
    "product": e.Times(S, A, B, C),
    "vectors": e.Times(e.Transpose(V), A, W),
    "outer": e.Times(V, e.Transpose(W)),
    "Hadamard": e.Hadamard(V, W),
    "quotient": e.Divide(V, e.Plus(e.Scalar(4), S)),
    "power": e.Power(V, e.Scalar(3)),
    "matrix power": e.MatrixPower(A, Integer(5)),
    "inverse": e.Inverse(e.Plus(A, e.Times(e.Scalar(9), e.Identity(N)))),
    "negative power": e.MatrixPower(e.Plus(A, e.Times(e.Scalar(9), e.Identity(N))), Integer(-2)),
    "inner": e.Inner(A, B),
    "squared norm": e.SquaredNorm(V),
    "Kronecker": e.Kron(A, C),
    "diag": e.Diag(V),
    "diag of a row": e.Diag(e.Transpose(V)),
    "diagonal": e.DiagPart(A),
    "trace": e.Trace(A),
    "sum of entries": e.SumEntries(C),
    "Frobenius norm": e.Norm(A, "F"),
    "spectral norm": e.Norm(A, "2"),
    "norm of a vector": e.Norm(V, "2"),
    "block": e.Block([[A, C], [e.Transpose(V), e.Zero(e.ONE, D)]]),
    "slice": e.Slice(A, 1, 3, 0, 2),
    "vec": e.Vec(C),
    "larger": e.Extreme("max", V, W),
    "softmax": e.Softmax(V),
    "softmax of a row": e.Softmax(e.Transpose(V)),
    "function": e.Apply("sigma", V),
    "slope": e.Apply("tanh", V, 1),
    "error function": e.Apply("erf", V),
}


@dataclass
class Values:
    """Values of the quantities alone."""

    of: dict[str, Array]
    tree: None = None
    loss: SmoothLoss = field(default_factory=lambda: SmoothLoss(1))

    def value(self, key: str, time: int | None) -> Array:
        return self.of[key]

    def function(self, node: e.Call, time: int | None, arguments: list[Array]) -> Array:
        return self.loss.value(time, arguments)

    def derivative(self, node: e.Node, evaluator: Evaluator) -> Array:
        raise AssertionError


def drawn(seed: int, members: int, moved: str) -> dict[str, Array]:
    """Complex values; those of ``moved`` in a stack."""
    generator, values = np.random.default_rng(seed), {}
    for leaf in (A, B, C, V, W, S):
        shape = tuple(SIZES.get(str(size), 1) for size in leaf.shape)
        shape = (members, *shape) if leaf.name in moved else shape
        values[leaf.name] = generator.normal(size=shape) + 0j
        if leaf.name in moved:  # the members differ off the real axis alone, as they do in a complex step
            values[leaf.name] = values[leaf.name][:1].real + 1e-30j * generator.normal(size=shape)
    return values


@pytest.mark.parametrize("name", NODES)
@settings(max_examples=25)
@given(seed=st.integers(0, 1000), members=st.integers(1, 4), moved=st.text("ABCvws", min_size=1, max_size=6))
def test_each_member_has_its_own_value(name: str, seed: int, members: int, moved: str) -> None:
    values = drawn(seed, members, moved)
    together = Evaluator(Values(values), SIZES)(NODES[name])
    for k in range(members):
        one = {key: value[k] if value.ndim == 3 else value for key, value in values.items()}
        alone = Evaluator(Values(one), SIZES)(NODES[name])
        member = together[k] if together.ndim == 3 else together
        assert member.shape == alone.shape
        assert np.allclose(member.real, alone.real, rtol=1e-12, atol=1e-14)
        assert np.allclose(member.imag / 1e-30, alone.imag / 1e-30, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", ["elman", "lstm", "cayley-rnn", "deltanet", "lstm-layernorm", "tree-lstm"])
def test_derivatives_do_not_depend_on_how_many_entries_are_moved_together(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = bptt.cell(name)
    instance = draw(system, 3, length=3, largest=4)
    found = []
    for most in (truth.LARGEST, 1, 25):
        monkeypatch.setattr(truth, "LARGEST", most)
        run = run_of(system, instance)
        evaluator = run.evaluator(t=3)
        keys = [e.Var(key, *system.shapes[key]) for key in system.parameters]
        found.append([evaluator(e.Gradient(key, e.Var(system.loss_name))) for key in keys])
    for others in found[1:]:
        for one, other in zip(found[0], others, strict=True):
            assert np.array_equal(one, other)


@given(seed=st.integers(0, 100), members=st.integers(1, 4))
def test_losses_of_stacks(seed: int, members: int) -> None:
    generator = np.random.default_rng(seed)
    q, r = generator.normal(size=(members, 3, 1)), generator.normal(size=(2, 1))
    together = SmoothLoss(seed).value(2, [q, r])
    assert together.shape == (members, 1, 1)
    for k in range(members):
        assert np.allclose(together[k], SmoothLoss(seed).value(2, [q[k], r]), rtol=1e-12)


def test_quantities_with_no_entries() -> None:
    """Of n - 2 entries there are none where n = 2, which is among the sizes that are tried."""
    cell = bptt.cell(
        "h_t = \\tanh(W h_{t-1} + Q v + U x_t)\nv \\in \\mathbb{R}^{n-2}\nh_t \\in \\mathbb{R}^n\nQ \\in \\mathbb{R}^{n \\times (n-2)}"
    )
    run = run_of(cell, draw(cell, 1, length=3, fixed={"n": 2, "d": 3}))
    by = e.Var("v", *cell.shapes["v"])
    assert run.evaluator(t=3)(e.Derivative(cell.quantity("h", cell.time), by)).shape == (2, 0)
    (right,) = bptt.check(r"$$\nabla_v L = Q^\top \sum_{t=1}^T \delta_t$$", cell=cell)
    (wrong,) = bptt.check(r"$$\nabla_v L = 2 Q^\top \sum_{t=1}^T \delta_t$$", cell=cell)
    assert (right.verdict, wrong.verdict) == ("correct", "wrong")
