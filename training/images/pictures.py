"""Arrays as pictures in rows and columns, in one PNG file."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from training.run.results import Panels

Points = npt.NDArray[np.float64]


def grid(
    title: str,
    file: str,
    tiles: Sequence[Sequence[Points | None]],
    rows: Sequence[str],
    columns: Sequence[str] = (),
    note: str = "",
) -> tuple[Panels, bytes]:
    """Pictures (H, W, 3) of colours from 0 to 1, all of one size, as what a report shows and the file that it is read from.

    None, and what a row lacks, is left empty.
    """
    height, width, _ = next(tile.shape for row in tiles for tile in row if tile is not None)
    most = max(len(row) for row in tiles)
    whole = np.zeros((len(tiles) * height, most * width, 4), np.uint8)
    for r, row in enumerate(tiles):
        for c, tile in enumerate(row):
            if tile is not None:
                place = whole[r * height : (r + 1) * height, c * width : (c + 1) * width]
                place[..., :3] = np.round(tile.clip(0, 1) * 255)
                place[..., 3] = 255
    return Panels(title, file, (height, width), tuple(rows), tuple(columns), note), png(whole)


def png(points: npt.NDArray[np.uint8]) -> bytes:
    """A picture (H, W, 4) as a file, without date and name of a program."""
    from matplotlib.image import imsave

    nothing: dict[str, Any] = {"Software": None}
    out = io.BytesIO()
    imsave(out, points, format="png", metadata=nothing, pil_kwargs={"optimize": True})
    return out.getvalue()


def coloured(pictures: Tensor) -> list[Points]:
    """Pictures (B, 3, H, W) of colours from 0 to 1."""
    return [np.asarray(one, np.float64) for one in pictures.permute(0, 2, 3, 1).cpu()]


def filter_tiles(filters: Tensor) -> list[Points]:
    """Filters (N, 3, side, side): grey is 0, and each one's largest entry is bright or dark."""
    most = filters.abs().amax((1, 2, 3), keepdim=True).clamp(min=1e-12)
    return coloured((0.5 + 0.5 * filters / most).float())


def heat(values: Tensor, signed: bool = False) -> Points:
    """A map (H, W) in colours: from its least to its highest value, without the highest half of a hundredth; where it is ``signed``,
    white is 0, red above and blue below.
    """
    from matplotlib import colormaps

    array = np.asarray(values.detach().cpu(), np.float64)
    if signed:
        top = max(float(np.quantile(np.abs(array), 0.995)), 1e-12)
        return np.asarray(colormaps["RdBu_r"]((array / top + 1) / 2)[..., :3], np.float64)
    low, top = float(array.min()), float(np.quantile(array, 0.995))
    return np.asarray(colormaps["magma"]((array - low) / max(top - low, 1e-12))[..., :3], np.float64)


def enlarged(tile: Points, side: int) -> Points:
    """A picture with ``side`` points a side, each of them the nearest of its own.

    >>> enlarged(np.arange(4.0).reshape(2, 2, 1), 4)[..., 0].tolist()[1]
    [0.0, 0.0, 1.0, 1.0]
    """
    index = [np.arange(side) * length // side for length in tile.shape[:2]]
    found: Points = tile[index[0][:, None], index[1]]
    return found


__all__ = ["Points", "coloured", "enlarged", "filter_tiles", "grid", "heat", "png"]
