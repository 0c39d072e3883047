"""Batches: several different sequences, whose losses add up; autograd of a batch is right, and what looks at one sequence is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import bptt
from tests.verify.programs.passes import RNN, rnn
from verify.programs.report import check_gradients

TO_ONE = bptt.cell("sentiment")


def autograd(W, U, b, x, h_0, dh):  # type: ignore[no-untyped-def]
    """The sum over the sequences, by autograd."""
    leaves = [value.clone().requires_grad_() for value in (W, U, b, x, h_0)]
    h, loss = leaves[4], 0.0
    for step, cotangent in zip(leaves[3], dh, strict=True):
        h = torch.tanh(h @ leaves[0].T + step @ leaves[1].T + leaves[2])
        loss = loss + (h * cotangent).sum()
    return torch.autograd.grad(loss, leaves)


def test_autograd_of_a_batch_is_right() -> None:
    names = ["dW", "dU", "db", "dx", "dh_0"]
    assert check_gradients(autograd, RNN, torch=True, batch=True, returns=names).right


def by_sequences(together: Callable[[list[np.ndarray]], Any]) -> Callable[..., dict[str, Any]]:
    """Each sequence by itself, and the bias put together in some way."""

    def run(W, U, b, x, h_0, dh):  # type: ignore[no-untyped-def]
        assert x.shape[1] > 1
        every = [rnn()(W, U, b, x[:, k], h_0[k], dh[:, k]) for k in range(x.shape[1])]
        return {
            "dW": sum(one["dW"] for one in every),
            "db": together([one["db"] for one in every]),
            "dx": np.stack([one["dx"] for one in every], axis=1),
            "h": np.stack([one["h"] for one in every], axis=1),
        }

    return run


@pytest.mark.parametrize(
    ("together", "why"),
    [
        (lambda parts: sum(parts), ""),
        (lambda parts: np.mean(parts, 0), "it is the mean over the sequences; their sum belongs there"),
        (lambda parts: parts[0], "it is that of the first sequence alone"),
        (lambda parts: parts[-1], "it is that of the last sequence alone"),
    ],
)
def test_what_is_made_of_the_sequences(together: Callable[[list[np.ndarray]], Any], why: str) -> None:
    report = check_gradients(by_sequences(together), RNN, batch=True)
    assert report.right == (not why)
    assert {finding.name: finding.why for finding in report.findings if not finding.right} == (
        {"db": why} if why else {}
    )


@pytest.mark.parametrize("batch", [False, True])
def test_targets_belong_to_each_sequence(batch: bool) -> None:
    function = bptt.compile(TO_ONE)

    def run(params, inputs, initial_state, targets):  # type: ignore[no-untyped-def]
        assert list(targets) == ["q"] and "q" not in params
        assert np.shape(targets["q"]) == ((3,) if batch else ())
        return function(params, inputs, initial_state, None, targets)

    report = check_gradients(run, TO_ONE, batch=batch)
    assert report.right and not report.missing
