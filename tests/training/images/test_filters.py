"""Kinds of filters, by filters whose kind is known."""

from __future__ import annotations

import math

import pytest
import torch

from training.images.filters import KINDS, measured


def grating(frequency: float, colour: tuple[float, float, float], side: int = 8) -> torch.Tensor:
    wave = torch.cos(2 * math.pi * frequency * torch.arange(side))
    return torch.tensor(colour)[:, None, None] * wave.expand(side, side)


@pytest.mark.parametrize(
    ("frequency", "colour", "kind"),
    [
        (0.25, (1, 1, 1), "grey edge"),
        (0.125, (1, -1, 0), "colour edge"),
        (0.0, (1, 1, 0.9), "grey patch"),
        (0.0, (1, -0.5, -0.5), "colour patch"),
    ],
)
def test_gratings_and_even_areas(frequency: float, colour: tuple[float, float, float], kind: str) -> None:
    found = measured(grating(frequency, colour)[None])
    assert KINDS[found.kinds[0]] == kind
    assert float(found.frequency[0]) == pytest.approx(frequency, abs=1e-6)
    assert found.share(KINDS.index(kind)) == 1


def test_shares_of_energy_by_hand() -> None:
    w = torch.tensor([[[[3.0, 1.0]], [[0.0, 0.0]], [[0.0, 0.0]]]]).expand(1, 3, 2, 2)
    found = measured(w)
    assert float(found.constant[0]) == pytest.approx(16 / 20) and float(found.grey[0]) == pytest.approx(1 / 3)
