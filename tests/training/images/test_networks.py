"""The two networks."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from training.images.convnet import ConvNet, copied, receptive_field
from training.images.network import Group, WhitenedNet


@pytest.mark.parametrize("convolutions", [2, 3])
def test_convolutions_start_as_the_identity(convolutions: int) -> None:
    group = Group(4, 4, convolutions).double().eval()
    x = torch.rand(2, 4, 8, 8, dtype=torch.float64) + 1
    for norm in group.norms:
        norm.running_var.fill_(1 - norm.eps)
    expected = nn.functional.gelu(nn.functional.max_pool2d(x, 2))
    before = expected
    for k in range(1, convolutions):
        expected = nn.functional.gelu(expected + before if k == 2 else expected)
    torch.testing.assert_close(group(x), expected)


def test_the_first_layer_and_the_factors_stay() -> None:
    net = WhitenedNet(4, 2)
    net.start(torch.randn(20, 3, 32, 32))
    fixed = {name for name, value in net.named_parameters() if not value.requires_grad}
    assert fixed == {"whiten.weight", *(f"groups.{g}.norms.{k}.weight" for g in range(3) for k in range(2))}
    assert torch.equal(net.whiten.weight[:12], -net.whiten.weight[12:])
    assert net(torch.randn(2, 3, 32, 32)).shape == (2, 10)


def test_what_a_unit_sees() -> None:
    """The points on which a unit in the middle depends, by gradients of a network in which nothing cancels."""
    net = ConvNet(1).double().eval()
    with torch.no_grad():
        for layer in net.layers:
            layer.convolution.weight.fill_(0.1)
    # Pooling passes the gradient of one point of four on, another one in each picture: sixty of them show all.
    x = torch.rand(60, 3, 32, 32, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    for k, maps in enumerate(net.maps(x)):
        field = receptive_field(k)
        middle = maps.shape[2] // 2
        seen = []
        for place in (middle, middle + 1):
            (gradient,) = torch.autograd.grad(maps[:, 0, place, middle].sum(), x, retain_graph=True)
            seen.append(gradient.abs().sum((0, 1, 3)).nonzero()[:, 0].tolist())
        first = seen[0][0]
        assert seen[0] == [*range(first, min(32, first + field.side))]  # that of conv5 reaches over the edge
        assert seen[1][0] == first + field.stride


def test_a_copy_has_weights_of_its_own() -> None:
    net = ConvNet(2)
    again = copied(net)
    x = torch.randn(3, 3, 32, 32)
    net.eval()
    torch.testing.assert_close(again(x), net(x))
    with torch.no_grad():
        net.readout.weight.zero_()
    assert float(again.readout.weight.detach().abs().max()) > 0
