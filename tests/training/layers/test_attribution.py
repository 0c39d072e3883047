"""Attributions against closed forms, finite differences and autograd's Jacobians, and what is found to be incomplete."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from training.layers.attribution import gradient_times_input, integrated_gradients, jacobian_norms
from training.layers.bidirectional import CellEncoder, Encoder, TorchEncoder

T, D, N = 6, 3, 4


def encoder(kind: str, cell: str, both: bool = True, pool: str = "last") -> Encoder:
    torch.manual_seed(4)
    if kind == "torch":
        return TorchEncoder(cell, D, N, both, pool, "float64")
    return CellEncoder(cell, D, N, both, pool, "float64", kind)


def lengths(x: Tensor) -> Tensor:
    return torch.full((x.shape[1],), x.shape[0])


@pytest.mark.parametrize(("kind", "cell"), [("torch", "lstm"), ("autograd", "gru"), ("derived", "mgu")])
@pytest.mark.parametrize("pool", ["last", "max"])
def test_attributions_of_a_network(kind: str, cell: str, pool: str) -> None:
    layer = encoder(kind, cell, pool=pool)
    x = 2 * torch.randn(T, D, dtype=torch.float64)

    def score(x: Tensor) -> Tensor:
        return layer(x, lengths(x)).sin().sum(-1)

    def value(x: Tensor) -> float:
        return float(score(x[:, None]).detach())

    step = 1e-6
    wanted = []
    for t in range(T):  # the change when x_t is made a little smaller
        more, less = x.clone(), x.clone()
        more[t] *= 1 + step
        less[t] *= 1 - step
        wanted.append((value(more) - value(less)) / (2 * step))
    with torch.no_grad():  # where results are made
        first = gradient_times_input(score, x[:, None])[:, 0]
        found = integrated_gradients(score, x)
    assert first.tolist() == pytest.approx(wanted, rel=1e-6, abs=1e-8)
    assert found.difference == pytest.approx(value(x) - value(torch.zeros_like(x)))
    assert found.complete and float(found.values.sum()) == pytest.approx(found.difference, rel=1e-3, abs=1e-3)
    # Against the mean of gradients on a fine midpoint rule, written down here.
    fine = 2000
    total = torch.zeros(T, dtype=torch.float64)
    for start in range(0, fine, 500):
        part = (torch.arange(start, start + 500, dtype=torch.float64) + 0.5) / fine
        leaf = (part[:, None] * x[:, None]).requires_grad_()
        (gradient,) = torch.autograd.grad(score(leaf).sum(), leaf)
        total += (gradient * x[:, None]).sum((1, 2)) / fine
    assert found.values.tolist() == pytest.approx(total.tolist(), abs=5e-3)


def test_a_linear_score_has_one_answer() -> None:
    weights = torch.randn(T, D, dtype=torch.float64)
    x = torch.randn(T, D, dtype=torch.float64)

    def score(x: Tensor) -> Tensor:
        return (weights[:, None] * x).sum((0, 2))

    wanted = (weights * x).sum(-1).tolist()
    assert integrated_gradients(score, x).values.tolist() == pytest.approx(wanted)
    assert gradient_times_input(score, x[:, None])[:, 0].tolist() == pytest.approx(wanted)


def test_a_sum_that_is_wrong_is_said() -> None:
    """A step has no gradient anywhere, so that nothing adds up to its height."""
    found = integrated_gradients(lambda x: (x.sum((0, 2)) > 0.5).double() + 0 * x.sum((0, 2)), torch.ones(2, 1))
    assert not found.complete and found.gap == found.difference == 1.0


def test_padding_changes_no_attribution() -> None:
    layer = encoder("torch", "lstm", pool="max")
    x = torch.randn(T, 2, D, dtype=torch.float64)
    both = gradient_times_input(lambda x: layer(x, torch.tensor([T, 3])).sum(-1), x)
    alone = gradient_times_input(lambda x: layer(x, torch.tensor([3])).sum(-1), x[:3, 1:])
    torch.testing.assert_close(both[:3, 1:], alone)
    assert both[3:, 1].tolist() == [0.0] * (T - 3)


@pytest.mark.parametrize("kind", ["torch", "autograd", "derived"])
@pytest.mark.parametrize("pool", ["last", "max"])
def test_norms_are_those_of_autograds_jacobian(kind: str, pool: str) -> None:
    layer = encoder(kind, "lstm", pool=pool)
    x = torch.randn(T, D, dtype=torch.float64)

    def one(x: Tensor) -> Tensor:
        return layer(x[:, None], torch.tensor([T]))[0]

    wanted = torch.autograd.functional.jacobian(one, x)  # (states, T, D)
    found = jacobian_norms(lambda x: layer(x, lengths(x)), x)
    torch.testing.assert_close(found, wanted.square().sum((0, 2)).sqrt())
