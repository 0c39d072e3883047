"""The filters of the first layer: the pictures of their weights, and how many are of which kind, before and after training."""

from __future__ import annotations

from training.images.convnet import ConvNet
from training.images.filters import KINDS, Measured, measured
from training.images.looked_at import LookedAt
from training.images.pictures import enlarged, filter_tiles, grid
from training.run.results import Cell, Results, Table

FILE = "filters.png"
_ACROSS = 8
_SIDE = 20


def filters_shown(shown: LookedAt) -> Results:
    """A picture of all filters by their kind, a table of kinds, and what has changed."""
    before, after = (_measured(net) for net in (shown.untrained, shown.net))
    tiles = [enlarged(tile, _SIDE) for tile in filter_tiles(shown.net.filters[after.order()])]
    lines = [tiles[k : k + _ACROSS] for k in range(0, len(tiles), _ACROSS)]
    note = (
        "Grey is 0; each filter's largest weight is bright or dark. Grey edges stand first, then coloured edges, grey patches and coloured "
        "patches; each kind goes from low frequency to high."
    )
    panels, content = grid("Filters of conv1", FILE, lines, [""] * len(lines), note=note)
    edges = [sum(found.share(k) for k in (0, 1)) for found in (before, after)]
    greys = [sum(found.share(k) for k in (0, 2)) for found in (before, after)]
    frequency = [float(found.frequency.mean()) for found in (before, after)]
    numbers = {"edges among the first filters": edges[1], "grey ones among the first filters": greys[1]}
    said = (
        f"Of {len(after.kinds)} filters of the first layer, {edges[1]:.0%} are edges or stripes and {1 - edges[1]:.0%} answer to even "
        f"areas ({edges[0]:.0%} and {1 - edges[0]:.0%} before training); {greys[1]:.0%} are mostly grey and {1 - greys[1]:.0%} mostly "
        f"coloured ({greys[0]:.0%} and {1 - greys[0]:.0%}). Their mean frequency is {frequency[1]:.2f} periods per point, and was "
        f"{frequency[0]:.2f}.",
    )
    return Results(numbers, (_table(before, after),), said=said, panels=(panels,), files={FILE: content})


def _measured(net: ConvNet) -> Measured:
    return measured(net.filters)


def _table(before: Measured, after: Measured) -> Table:
    rows: list[list[Cell]] = []
    for kind, name in enumerate(KINDS):
        own = [k for k, one in enumerate(after.kinds) if one == kind]
        frequency = float(after.frequency[own].mean()) if own else None
        rows.append([name, before.kinds.count(kind), len(own), frequency])
    note = (
        "An edge has more than half of its energy in changes over space, a patch has not; grey has more than half of it in the mean of "
        "the three colours. Frequency: mean of the kind after training, in periods per point."
    )
    return Table("Filters of conv1 by kind", ("kind", "before", "after", "frequency"), rows, note)


__all__ = ["FILE", "filters_shown"]
