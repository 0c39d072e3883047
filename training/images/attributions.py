"""Which points of a picture a score depends on: three kinds of maps, and how good they are.

=========  ===========================================================================================================
saliency   max over the colours of |∂s/∂x| (Simonyan et al. 2014)
occlusion  how much s falls when a square has the mean colour, averaged over the squares that hold a point (Zeiler, Fergus 2014)
Grad-CAM   max(0, ∑_c α_c A_c), A the last layer's maps and α_c the mean of ∂s/∂A_c over the places (Selvaraju et al. 2017)
=========  ===========================================================================================================

The maps are captum's. Deletion (Petsiuk et al. 2018) takes away what a map says to be the most important, the highest first, and looks at
what is left of the probability: the smaller the area under that curve, the better the map. It takes away small squares: single points that
are missing here and there look like noise, to which networks are so sensitive that a random order would do as well as any map.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate

from training.images.convnet import ConvNet

SQUARE, STRIDE = 8, 2
"""Side of the squares of occlusion, and by how much they move."""
Maps = Callable[[ConvNet, Tensor, Tensor], Tensor]
_BATCH = 256


def saliency(net: nn.Module, pictures: Tensor, classes: Tensor) -> Tensor:
    """Maps (B, H, W) of pictures (B, 3, H, W) for the scores of some classes (B,)."""
    from captum.attr import Saliency

    with torch.enable_grad():
        gradient: Tensor = Saliency(net).attribute(pictures.clone().requires_grad_(), target=classes)
    return gradient.detach().amax(1)


@torch.no_grad()
def occlusion(net: nn.Module, pictures: Tensor, classes: Tensor) -> Tensor:
    """Maps (B, H, W); what makes a score higher is above 0."""
    from captum.attr import Occlusion

    colours = pictures.shape[1]
    found: Tensor = Occlusion(net).attribute(
        pictures, (colours, SQUARE, SQUARE), strides=(colours, STRIDE, STRIDE), baselines=0.0, target=classes
    )
    return found.mean(1)


def grad_cam(net: ConvNet, pictures: Tensor, classes: Tensor) -> Tensor:
    """Maps (B, H, W), of the last layer's size made as large as the pictures."""
    coarse = grad_cam_coarse(net, pictures, classes)
    return interpolate(coarse[:, None], pictures.shape[2:], mode="bilinear", align_corners=False)[:, 0]


def grad_cam_coarse(net: ConvNet, pictures: Tensor, classes: Tensor) -> Tensor:
    """Maps of the last layer's size, after its rectifier."""
    from captum.attr import LayerGradCam

    last = _Rectified(net)
    with torch.enable_grad():
        found: Tensor = LayerGradCam(last, last.last).attribute(
            pictures.clone().requires_grad_(), target=classes, relu_attributions=True
        )
    return found.detach()[:, 0]


class _Rectified(nn.Module):
    """The network with a module that gives what the last rectifier gives, to which captum can hold on."""

    def __init__(self, net: ConvNet) -> None:
        super().__init__()
        self.net, self.last = net, nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.net.readout(self.last(self.net.maps(x)[-1]).mean((2, 3)))
        return scores


METHODS: dict[str, Maps] = {"saliency": saliency, "occlusion": occlusion, "Grad-CAM": grad_cam}


# -- how good they are -----------------------------------------------------------------------------


@torch.no_grad()
def deletion(
    net: nn.Module, pictures: Tensor, classes: Tensor, maps: Tensor, shares: Sequence[float], side: int = 4
) -> Tensor:
    """The mean probability of some classes (S,) when shares of the picture, where the map is highest first, have the mean colour.

    Parameters
    ----------
    side : of the squares that are taken away, in points; the map counts with its mean there.

    >>> class Left(nn.Module):  # looks at one point alone
    ...     def forward(self, x):
    ...         return torch.stack([x[:, 0, 0, 0], -x[:, 0, 0, 0]], 1)
    >>> x = torch.full((1, 3, 2, 2), 50.0)
    >>> right = torch.tensor([[[4.0, 3.0], [2.0, 1.0]]])
    >>> for maps in (right, -right):
    ...     print(deletion(Left(), x, torch.tensor([0]), maps, (0, 0.5, 1), side=1).tolist())
    [1.0, 0.5, 0.5]
    [1.0, 1.0, 0.5]
    """
    coarse = avg_pool2d(maps[:, None], side)
    count, squares = len(maps), coarse[0].numel()
    ranks = coarse.flatten(1).argsort(dim=1, descending=True, stable=True).argsort(1).reshape(coarse.shape)
    ranks = ranks.repeat_interleave(side, 2).repeat_interleave(side, 3)
    found = []
    for share in shares:
        kept = pictures * (ranks >= round(share * squares))
        parts = [
            net(kept[at : at + _BATCH]).softmax(1).gather(1, classes[at : at + _BATCH, None])
            for at in range(0, count, _BATCH)
        ]
        found.append(torch.cat(parts).mean())
    return torch.stack(found)


def area(shares: Sequence[float], values: Tensor) -> float:
    """Under a curve, by trapezoids.

    >>> area((0.0, 0.5, 1.0), torch.tensor([1.0, 0.5, 0.0]))
    0.5
    """
    return float(torch.trapezoid(values, torch.as_tensor(shares, dtype=values.dtype, device=values.device)))


def rank_correlation(first: Tensor, second: Tensor) -> float:
    """The mean over pictures of Spearman's correlation of two maps (B, H, W).

    >>> x = torch.arange(8.0).reshape(2, 2, 2)
    >>> rank_correlation(x, x.exp()), rank_correlation(x, -x)
    (1.0, -1.0)
    """
    ranks = [maps.flatten(1).argsort(1).argsort(1).double() for maps in (first, second)]
    centred = [rank - rank.mean(1, keepdim=True) for rank in ranks]
    one, two = (rank / rank.norm(dim=1, keepdim=True) for rank in centred)
    return round(float((one * two).sum(1).mean()), 12)


__all__ = [
    "METHODS", "SQUARE", "STRIDE", "area", "deletion", "grad_cam", "grad_cam_coarse", "occlusion", "rank_correlation", "saliency",
]  # fmt: skip
