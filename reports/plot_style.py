"""How plots look, whoever draws them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

INK = "#1a1a1a"
FAINT = "#9a9a9a"
COLOURS = ("#0b3c7d", "#b5421a", "#2f8f6b", "#5e2a7a", "#b8901c", "#7f7f7f")
"""Colours of the series: each has a brightness of its own, so that they differ in grey print too, as do the strokes and
marks.
"""

_STYLE: dict[Any, Any] = {
    "svg.fonttype": "path",
    "svg.hashsalt": "reports",
    "svg.image_inline": True,
    "pdf.fonttype": 42,
    "font.family": "STIXGeneral",
    "mathtext.fontset": "stix",
    "font.size": 9.5,
    "axes.linewidth": 0.6,
    "lines.linewidth": 1.3,
    "lines.markersize": 3.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "legend.frameon": False,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.handlelength": 2.6,
}


def style_sheet() -> str:
    """The same look for what code of a sheet draws by itself, as a file of matplotlib's settings."""
    own = {"figure.figsize": "5.2, 3.0", "figure.facecolor": "none", "axes.facecolor": "none", "legend.framealpha": "0"}
    colours = ", ".join(f"'{colour.lstrip('#')}'" for colour in COLOURS)
    lines = [
        f'{name}: "{value}"' if "#" in str(value) else f"{name}: {value}" for name, value in {**_STYLE, **own}.items()
    ]
    return "\n".join([*lines, f"axes.prop_cycle: cycler('color', [{colours}])", ""])


@contextmanager
def styled() -> Iterator[None]:
    """matplotlib's own defaults plus ours, whatever the user's configuration says."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        yield


__all__ = ["COLOURS", "FAINT", "INK", "style_sheet", "styled"]
