"""Maps against finite differences, brute force and formulas."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import relu

from training.images.attributions import (
    SQUARE,
    STRIDE,
    area,
    deletion,
    grad_cam,
    grad_cam_coarse,
    occlusion,
    saliency,
)
from training.images.convnet import ConvNet

CLASSES = torch.tensor([3, 8])


@pytest.fixture(scope="module")
def net() -> ConvNet:
    torch.manual_seed(2)
    return ConvNet(2).double().eval()


@pytest.fixture(scope="module")
def pictures() -> torch.Tensor:
    return torch.randn(2, 3, 32, 32, dtype=torch.float64, generator=torch.Generator().manual_seed(3))


def score(net: ConvNet, pictures: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return net(pictures).gather(1, CLASSES[:, None])[:, 0]


def test_saliency_is_the_largest_difference_of_a_colour(net: ConvNet, pictures: torch.Tensor) -> None:
    found = saliency(net, pictures, CLASSES)
    for row, column in ((0, 0), (13, 20), (31, 7)):
        slopes = []
        for colour in range(3):
            step = torch.zeros_like(pictures)
            step[:, colour, row, column] = 1e-6
            slopes.append((score(net, pictures + step) - score(net, pictures - step)).abs() / 2e-6)
        expected = torch.stack(slopes).amax(0)
        torch.testing.assert_close(found[:, row, column], expected, rtol=1e-5, atol=1e-9)


def test_occlusion_by_brute_force(net: ConvNet, pictures: torch.Tensor) -> None:
    whole = score(net, pictures)
    total, times = torch.zeros(2, 32, 32, dtype=torch.float64), torch.zeros(32, 32, dtype=torch.float64)
    for top in range(0, 32 - SQUARE + 1, STRIDE):
        for left in range(0, 32 - SQUARE + 1, STRIDE):
            hidden = pictures.clone()
            hidden[:, :, top : top + SQUARE, left : left + SQUARE] = 0
            total[:, top : top + SQUARE, left : left + SQUARE] += (whole - score(net, hidden))[:, None, None]
            times[top : top + SQUARE, left : left + SQUARE] += 1
    found = occlusion(net, pictures, CLASSES)  # captum sums in single precision
    torch.testing.assert_close(found.double(), total / times, rtol=1e-4, atol=1e-6)


def test_grad_cam_is_the_class_activation_map(net: ConvNet, pictures: torch.Tensor) -> None:
    """A linear readout of means has ∂s/∂A_c = w_c / places everywhere, so the formula needs no gradient here."""
    with torch.no_grad():
        maps = relu(net.maps(pictures)[-1])
    weights = net.readout.weight.detach()[CLASSES] / maps[0, 0].numel()
    expected = relu((weights[:, :, None, None] * maps).sum(1))
    torch.testing.assert_close(grad_cam_coarse(net, pictures, CLASSES), expected)
    assert float(expected.max()) > 0 and grad_cam(net, pictures, CLASSES).shape == (2, 32, 32)


def test_deletion_takes_whole_squares() -> None:
    """Of 64 squares a quarter: those 16 in which the map has the highest mean, although its highest points lie elsewhere."""
    seen: list[torch.Tensor] = []

    class Watching(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            seen.append(x[0, 0] == 0)
            return x.mean((2, 3))

    maps = torch.zeros(1, 32, 32)
    maps[0, 16:, 16:] = 1
    maps[0, ::4, 0] = 9
    deletion(Watching(), torch.ones(1, 3, 32, 32), torch.tensor([0]), maps, (0.25,), side=4)
    missing = torch.zeros(32, 32, dtype=torch.bool)
    missing[16:, 16:] = True
    assert torch.equal(seen[0], missing)


def test_deletion_of_a_network_that_looks_at_a_corner() -> None:
    class Corner(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            bright = x[:, :, :8, :8].mean((1, 2, 3))
            return torch.stack([bright, -bright], 1)

    x = torch.full((4, 3, 32, 32), 3.0, dtype=torch.float64)
    labels, shares = torch.zeros(4, dtype=torch.int64), [k / 16 for k in range(17)]
    corner = torch.zeros(4, 32, 32)
    corner[:, :8, :8] = 1
    good, bad = (deletion(Corner(), x, labels, maps, shares) for maps in (corner, -corner))
    assert good[1:].tolist() == pytest.approx([0.5] * 16) and bad[:-1].tolist() == pytest.approx([float(good[0])] * 16)
    assert area(shares, good) < area(shares, bad)
