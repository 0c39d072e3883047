"""Layers, losses and optimisers of NumPy, against torch: its autograd, its losses, its optimisers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, one_hot

from training.arrays import outputs
from training.arrays.gradient import Rows
from training.arrays.layers import ACTIVATIONS, Dropout
from training.arrays.optimizers import OPTIMIZERS
from training.arrays.outputs import Noise, sampled, softmax, squared
from training.arrays.skip_gram import SkipGram

ROOT = Path(__file__).parents[3]
WORDS, HIDDEN, BATCH = 11, 3, 7
RNG = np.random.default_rng(4)
CENTRE = np.array([0, 3, 3, 9, 10, 3, 0])
CONTEXT = RNG.integers(0, WORDS, (BATCH, 4))
CONTEXT[0] = 5, 5, 2, 5  # a word may stand around the centre several times
NEGATIVES = RNG.integers(0, WORDS, (BATCH, 6))


def k_hot() -> Tensor:
    return one_hot(torch.from_numpy(CONTEXT), WORDS).sum(1).double()


def by_torch(loss: str, scores: Tensor) -> Tensor:
    """The losses as torch has them, from all scores and the 4-hot vectors."""
    context, negatives = torch.from_numpy(CONTEXT), torch.from_numpy(NEGATIVES)
    if loss == "softmax":
        return cross_entropy(scores, k_hot(), reduction="sum") / BATCH
    if loss == "squared":
        return 0.5 * nn.MSELoss(reduction="sum")(scores, k_hot()) / BATCH
    drawn = torch.cat([scores.gather(1, context), scores.gather(1, negatives)], dim=1)
    wanted = torch.cat([torch.ones(context.shape), torch.zeros(negatives.shape)], dim=1).double()
    return binary_cross_entropy_with_logits(drawn, wanted, reduction="sum") / BATCH


JUDGES = {
    "softmax": lambda weights, hidden: softmax(weights, hidden, CONTEXT),
    "sampled": lambda weights, hidden: sampled(weights, hidden, CONTEXT, NEGATIVES),
    "squared": lambda weights, hidden: squared(weights, hidden, CONTEXT),
}
PHI = {"identity": lambda x: x, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "relu": torch.relu}


def dense(gradient: object) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return gradient.dense(WORDS) if isinstance(gradient, Rows) else np.asarray(gradient)


@pytest.mark.parametrize("loss", [*JUDGES])
@pytest.mark.parametrize("activation", [*ACTIVATIONS])
@pytest.mark.parametrize("block", [1, 2 * WORDS, 1 << 20])
def test_loss_and_gradients_are_those_of_autograd(
    loss: str, activation: str, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one-hot vectors are multiplied out, all scores are computed, and dropout is a mask."""
    monkeypatch.setattr(outputs, "ENTRIES", block)
    network = SkipGram(WORDS, HIDDEN, activation, 0.4, np.random.default_rng(1))
    network.arrays["embedding"][...] = RNG.standard_normal((WORDS, HIDDEN))
    network.arrays["output"][...] = RNG.standard_normal((WORDS, HIDDEN + 1))
    passed = network.forward(CENTRE, JUDGES[loss], np.random.default_rng(8))
    passed.backward()

    first, second = (torch.from_numpy(array.copy()).requires_grad_() for array in network.arrays.values())
    x = one_hot(torch.from_numpy(CENTRE), WORDS).double()
    mask = torch.from_numpy((np.random.default_rng(8).random((BATCH, HIDDEN)) >= 0.4) / 0.6)
    hidden = PHI[activation](x @ first) * mask
    wanted = by_torch(loss, hidden @ second[:, :-1].T + second[:, -1])
    wanted.backward()

    assert passed.item() == pytest.approx(wanted.item(), rel=1e-12)
    for name, leaf in (("embedding", first), ("output", second)):
        np.testing.assert_allclose(dense(network.gradients[name]), leaf.grad, rtol=1e-10, atol=1e-13)


def test_the_four_hot_cross_entropy_is_minus_the_sum_of_log_p() -> None:
    weights, hidden = RNG.standard_normal((WORDS, HIDDEN + 1)), RNG.standard_normal((BATCH, HIDDEN))
    scores = hidden @ weights[:, :-1].T + weights[:, -1]
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    by_hand = -np.mean([sum(np.log(p[b, c]) for c in CONTEXT[b]) for b in range(BATCH)])
    assert softmax(weights, hidden, CONTEXT).loss == pytest.approx(by_hand, rel=1e-12)


def test_large_scores_do_not_overflow() -> None:
    weights, hidden = np.full((WORDS, 2), 1e4), np.full((BATCH, 1), 10.0)
    weights[0] *= -1
    for found in (JUDGES[name](weights, hidden) for name in ("softmax", "sampled")):
        assert np.isfinite(found.loss) and np.isfinite(dense(found.weights)).all()


@pytest.mark.parametrize("loss", [*JUDGES])
def test_single_precision_stays_single(loss: str) -> None:
    network = SkipGram(WORDS, HIDDEN, "tanh", 0.3, np.random.default_rng(1), "float32")
    network.forward(CENTRE, JUDGES[loss], np.random.default_rng(2)).backward()
    optimizer = OPTIMIZERS["adam"](0.1)
    optimizer.step(network.arrays, network.gradients)
    for name, gradient in network.gradients.items():
        assert dense(gradient).dtype == network.arrays[name].dtype == np.float32
        assert all(kept.dtype == np.float32 for kept in optimizer.kept[name].values())


TORCH = {
    "sgd": lambda w: torch.optim.SGD(w, lr=0.1),
    "momentum": lambda w: torch.optim.SGD(w, lr=0.1, momentum=0.9),
    "adagrad": lambda w: torch.optim.Adagrad(w, lr=0.1),
    "adam": lambda w: torch.optim.Adam(w, lr=0.1),
}


@pytest.mark.parametrize("name", [*OPTIMIZERS])
def test_optimisers_are_torchs(name: str) -> None:
    array = RNG.standard_normal((5, 3))
    leaf = torch.from_numpy(array.copy()).requires_grad_()
    ours, theirs = OPTIMIZERS[name](0.1), TORCH[name]([leaf])
    for _ in range(6):
        gradient = RNG.standard_normal((5, 3))
        ours.step({"W": array}, {"W": gradient})
        leaf.grad = torch.from_numpy(gradient)
        theirs.step()
    np.testing.assert_allclose(array, leaf.detach(), rtol=1e-9)


SPARSE = {
    "sgd": TORCH["sgd"],
    "adagrad": TORCH["adagrad"],
    "adam": lambda w: torch.optim.SparseAdam(w, lr=0.1),
}


@pytest.mark.parametrize("name", [*SPARSE])
def test_rows_are_torchs_sparse_gradients(name: str) -> None:
    array = RNG.standard_normal((6, 2))
    leaf = torch.from_numpy(array.copy()).requires_grad_()
    ours, theirs = OPTIMIZERS[name](0.1), SPARSE[name]([leaf])
    for numbers in ([0, 4], [1, 4, 5], [0], [4, 5]):
        values = RNG.standard_normal((len(numbers), 2))
        ours.step({"W": array}, {"W": Rows(np.array(numbers), values)})
        leaf.grad = torch.sparse_coo_tensor([numbers], torch.from_numpy(values), (6, 2), check_invariants=True)
        theirs.step()
    np.testing.assert_allclose(array, leaf.detach(), rtol=1e-5)  # its 10⁻⁸ is not divided by √(1 - 0.999ᵗ)


def test_momentum_of_rows_is_that_of_these_rows_alone() -> None:
    array, alone = np.ones((3, 2)), np.ones((1, 2))
    rows, whole = OPTIMIZERS["momentum"](0.1), OPTIMIZERS["momentum"](0.1)
    for _ in range(4):
        values = RNG.standard_normal((1, 2))
        rows.step({"W": array}, {"W": Rows(np.array([1]), values)})
        whole.step({"W": alone}, {"W": values})
    np.testing.assert_allclose(array, np.concatenate([np.ones((1, 2)), alone, np.ones((1, 2))]))


def test_the_rate_decays_with_the_updates() -> None:
    array = np.zeros(1)
    optimizer = OPTIMIZERS["sgd"](6.0, 2)
    changes = []
    for _ in range(5):
        before = float(array[0])
        optimizer.step({"W": array}, {"W": np.ones(1)})
        changes.append(before - float(array[0]))
    assert changes == pytest.approx([6, 4, 3, 2.4, 2])


def test_noise_is_drawn_by_the_counts_to_the_power_of_three_quarters() -> None:
    counts = np.array([1000, 200, 10, 1])
    drawn = Noise(counts).drawn(np.random.default_rng(0), (500, 400))
    shares = np.bincount(drawn.ravel(), minlength=4) / drawn.size
    np.testing.assert_allclose(shares, counts**0.75 / (counts**0.75).sum(), atol=0.003)


def test_dropout_keeps_the_mean() -> None:
    found = Dropout(0.3).forward(np.ones((300, 300)), np.random.default_rng(0))
    assert set(np.unique(found.round(6))) == {0.0, round(1 / 0.7, 6)} and found.mean() == pytest.approx(1, abs=0.01)


def test_the_library_needs_no_torch() -> None:
    code = "import sys, training.arrays.skip_gram, training.arrays.optimizers; print('torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
