"""Small pictures in rows and columns, with words beside and above them, drawn as vector graphics around points.

>>> import numpy as np
>>> grid = Panels(np.zeros((20, 30, 4)), (10, 10), ("a", "b"))
>>> grid.shape, round(grid.width, 2), round(grid.height, 2)
((2, 3), 5.6, 3.56)
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from derive.errors import RenderError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LARGEST, _WIDEST = 1.6, 16.0
"""Centimetres of a picture's side, and of all of them together."""
_GAP = 0.08
"""Space between pictures, as a share of a side."""
_LETTER = 0.17
"""Centimetres that a letter takes up."""
_SHARP = 160
"""Points of a picture's side, at least: a viewer that smooths does so only at their edges."""


@dataclass(frozen=True, eq=False)
class Panels:
    """Pictures that stand side by side, without gaps, in one array (H, W, 4) of colours and opacity from 0 to 1. No two
    are equal.

    Parameters
    ----------
    tile    : height and width of one of them in points.
    rows    : what stands beside each row.
    columns : what stands above each column; none of it, or one each.
    """

    points: npt.NDArray[np.float64] = field(repr=False)
    tile: tuple[int, int]
    rows: tuple[str, ...]
    columns: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.points.shape[0] // self.tile[0], self.points.shape[1] // self.tile[1]

    @property
    def side(self) -> float:
        """Centimetres of a picture's width."""
        return min(_LARGEST, (_WIDEST - self.margins[0]) / (self.shape[1] * (1 + _GAP)))

    @property
    def margins(self) -> tuple[float, float]:
        """Centimetres for the words at the left and above."""
        longest = max(map(len, self.rows), default=0)
        highest = max(map(len, self.columns), default=0)
        return 0.2 + _LETTER * longest if longest else 0.05, 0.25 + _LETTER * highest * 0.8 if highest else 0.05

    @property
    def width(self) -> float:
        """Centimetres."""
        return self.margins[0] + self.shape[1] * self.side * (1 + _GAP) + 0.05

    @property
    def height(self) -> float:
        """Centimetres."""
        return self.margins[1] + self.shape[0] * self.side * (1 + _GAP) * self.tile[0] / self.tile[1] + 0.05

    def check(self) -> None:
        """Raise a RenderError where rows and columns do not fit."""
        rows, columns = self.shape
        if len(self.rows) != rows or len(self.columns) not in (0, columns):
            raise RenderError(
                f"{rows} by {columns} pictures have {len(self.rows)} and {len(self.columns)} words",
                expected="words for each row, and for each column or none",
            )

    def paint(self, figure: Figure) -> None:
        """Draw all of it."""
        left, above = self.margins
        axes: Any = figure.add_axes((
            left / self.width, 0.05 / self.height,
            1 - (left + 0.05) / self.width, 1 - (above + 0.05) / self.height,
        ))  # fmt: skip
        rows, columns = self.shape
        axes.imshow(self._apart(), extent=(0, columns, rows, 0), interpolation="none", aspect="auto")
        axes.set_axis_off()
        words = {"fontsize": 8.5, "clip_on": False, "parse_math": False}
        for k, name in enumerate(self.rows):
            axes.text(-0.08, k + 0.5, name, ha="right", va="center", **words)
        for k, name in enumerate(self.columns):
            axes.text(k + 0.5, -0.06, name, ha="center", va="bottom", rotation=90, **words)

    def _apart(self) -> npt.NDArray[np.uint8]:
        """The pictures with nothing between them, enlarged by a whole number."""
        rows, columns = self.shape
        height, width = self.tile
        times = -(-_SHARP // max(self.tile))
        gap = max(1, round(_GAP * width * times / (1 + _GAP)))
        shades = np.rint(self.points * 255).astype(np.uint8)  # a byte for each: enlarged, they are many
        tiles = shades.reshape(rows, height, columns, width, -1).transpose(0, 2, 1, 3, 4)
        tiles = tiles.repeat(times, 2).repeat(times, 3)
        tiles = np.pad(tiles, ((0, 0), (0, 0), (0, gap), (0, gap), (0, 0)))
        return tiles.transpose(0, 2, 1, 3, 4).reshape(
            rows * (height * times + gap), columns * (width * times + gap), -1
        )


def read_panels(png: bytes, tile: tuple[int, int], rows: tuple[str, ...], columns: tuple[str, ...]) -> Panels:
    """The pictures of a PNG file.

    Raises
    ------
    RenderError : it is none, or does not divide into such pictures.
    """
    from matplotlib.image import imread

    try:
        points = np.asarray(imread(io.BytesIO(png), format="png"), np.float64)
    except (OSError, ValueError, SyntaxError) as error:
        raise RenderError(f"pictures of the run cannot be read: {error}", expected="a PNG file") from None
    if points.ndim != 3 or not all(tile) or points.shape[0] % tile[0] or points.shape[1] % tile[1]:
        raise RenderError(
            f"a file of {points.shape[0]} by {points.shape[1]} points does not divide into pictures of {tile[0]} by {tile[1]}",
            expected="the file that bptt train wrote",
        )
    return Panels(points, tile, rows, columns)


__all__ = ["Panels", "read_panels"]
