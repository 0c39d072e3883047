"""Gradient ascent where the best input is known."""

from __future__ import annotations

import torch

from training.images.ascent import Ascent, all_answers, roughness

LOW, HIGH = torch.full((1, 3, 1, 1), -2.0), torch.full((1, 3, 1, 1), 1.5)


def test_a_linear_unit_is_driven_by_the_signs_of_its_weights() -> None:
    weights = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))

    def answers(pictures: torch.Tensor) -> torch.Tensor:
        return pictures.flatten(1) @ weights.flatten(1).T

    made = Ascent(steps=60, rate=0.2, roughness=0, size=0, jitter=0)(
        answers, torch.tensor([1, 0]), torch.ones(2), (LOW, HIGH)
    )
    for found, weight in zip(made, (weights[1], weights[0]), strict=True):
        assert torch.equal(found, torch.where(weight > 0, HIGH[0], LOW[0]))


def test_penalties_make_it_smooth() -> None:
    signs = (-1.0) ** (torch.arange(32)[:, None] + torch.arange(32))

    def answers(pictures: torch.Tensor) -> torch.Tensor:
        return (pictures * signs).mean((1, 2, 3))[:, None] + pictures.mean((1, 2, 3))[:, None]

    free, bound = (
        Ascent(steps=80, roughness=weight, size=0, jitter=0)(answers, torch.tensor([0]), torch.ones(1), (LOW, HIGH))
        for weight in (0.0, 3.0)
    )
    assert float(roughness(bound)) < 0.05 * float(roughness(free))
    assert float(bound.mean()) > 1


def test_roughness_by_hand() -> None:
    x = torch.tensor([[[[0.0, 1.0], [3.0, 3.0]]]])
    assert roughness(x).tolist() == [(9 + 4) / 2 + (1 + 0) / 2]


def test_answers_come_in_parts() -> None:
    pictures = torch.arange(7.0)[:, None]
    found = all_answers(lambda x: x * 2, lambda start, end: pictures[start:end], 7, batch=3)
    assert torch.equal(found, pictures * 2)
