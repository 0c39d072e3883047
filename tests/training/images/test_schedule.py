"""The slow copy of the weights, against the recursion written out."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import nn

from training.images.schedule import Lookahead, Triangle


def test_the_slow_copy_follows_its_recursion() -> None:
    layer = nn.Linear(1, 1, bias=False)
    lookahead = Lookahead(layer, steps=20, every=5)
    slow = layer.weight.item()
    for step in range(1, 21):
        with torch.no_grad():
            layer.weight += 1.0
        fast = layer.weight.item()
        lookahead.after(step)
        if step % 5 == 0:
            kept = 0.95**5 * (step / 20) ** 3
            slow = kept * slow + (1 - kept) * fast
            assert layer.weight.item() == pytest.approx(slow)
        else:
            assert layer.weight.item() == fast
    with torch.no_grad():
        layer.weight += 1.0
    lookahead.finish()
    assert layer.weight.item() == pytest.approx(slow)


def test_running_means_are_averaged_too() -> None:
    norm = nn.BatchNorm1d(2)
    lookahead = Lookahead(norm, steps=5)
    norm.running_mean.fill_(1.0)
    lookahead.after(5)
    assert norm.running_mean.tolist() == pytest.approx([1 - 0.95**5] * 2)


def test_the_rate_rises_and_falls_in_straight_lines() -> None:
    rates = [Triangle(100)(step) for step in range(101)]
    assert rates[0] == 0.2 and rates[23] == 1.0 and rates[100] == pytest.approx(0.07)
    differences = [round(b - a, 12) for a, b in itertools.pairwise(rates)]
    assert len(set(differences)) == 2
