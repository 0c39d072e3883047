"""Pictures in one file."""

from __future__ import annotations

import io

import numpy as np
import torch
from matplotlib.image import imread

from training.images.pictures import filter_tiles, grid, heat


def test_a_grid_is_read_back() -> None:
    red, blue = np.zeros((4, 6, 3)), np.zeros((4, 6, 3))
    red[..., 0], blue[..., 2] = 1, 0.2
    panels, png = grid("Two", "two.png", [[red, blue], [None, red], [blue]], ["a", "b", "c"])
    points = imread(io.BytesIO(png))
    assert panels.tile == (4, 6) and points.shape == (12, 12, 4)
    assert points[0, 0].tolist() == [1, 0, 0, 1] and abs(points[0, 6, 2] - 0.2) < 1e-6
    assert points[4:8, :6, 3].max() == 0 and points[8:, 6:, 3].max() == 0
    assert grid("Two", "two.png", [[red, blue], [None, red], [blue]], ["a", "b", "c"])[1] == png


def test_grey_is_no_weight() -> None:
    tile = filter_tiles(torch.tensor([[[[0.0, -2.0]], [[1.0, 0.0]], [[0.0, 0.0]]]]))[0]
    assert tile[0].tolist() == [[0.5, 0.75, 0.5], [0.0, 0.5, 0.5]]


def test_heat_of_maps() -> None:
    rising = heat(torch.arange(16.0).reshape(4, 4))
    assert np.all(np.diff(rising.sum(2).ravel()) > 0)
    red, white, blue = heat(torch.tensor([[1.0, 0.0, -1.0]]), signed=True)[0]
    assert red[0] > red[2] and blue[2] > blue[0] and white.min() > 0.95
    assert np.isfinite(heat(torch.zeros(2, 2))).all()
