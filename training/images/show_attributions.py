"""Where in a picture the network looks, by three methods, and which of them says it best."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from training.data.cifar10 import CLASSES
from training.data.download import Say
from training.images.attributions import METHODS, SQUARE, area, deletion, rank_correlation
from training.images.looked_at import LookedAt
from training.images.pictures import Points, coloured, grid, heat
from training.run.results import Cell, Lines, Panels, Results, Table

FILE = "attributions.png"
SHARES = tuple(k / 20 for k in range(21))
_BATCH = 100


def attributions_shown(shown: LookedAt, count: int, seed: int, say: Say) -> Results:
    """Maps of a picture of each class, and over the first ``count`` test pictures how good maps are."""
    pictures = shown.pictures(0, min(count, shown.count))
    with torch.no_grad():
        said = shown.net(pictures).argmax(1)
    maps = _all_maps(shown, pictures, said, say)
    curves = {name: deletion(shown.net, pictures, said, found, SHARES) for name, found in maps.items()}
    rng = np.random.default_rng((seed, 4))
    random = torch.as_tensor(rng.random(maps["saliency"].shape), device=pictures.device)
    curves["edges"] = deletion(shown.net, pictures, said, edges(pictures), SHARES)
    curves["random"] = deletion(shown.net, pictures, said, random, SHARES)
    areas = {name: area(SHARES, values) for name, values in curves.items()}
    panels, content = _panels(shown)
    lines = Lines(
        "Deletion: probability of the class when what is most important is taken away first", "share that is taken away", "probability",
        {name: (SHARES, [float(value) for value in values]) for name, values in curves.items()},
    )  # fmt: skip
    numbers = {f"deletion area of {name}": value for name, value in areas.items()}
    return Results(
        numbers,
        (_table(shown, pictures, said, maps, areas),),
        (lines,),
        _said(areas, len(pictures)),
        panels=(panels,),
        files={FILE: content},
    )


def edges(pictures: Tensor) -> Tensor:
    """A map (B, H, W) that knows nothing of the network: the differences between the neighbours of each point, over all colours."""
    down, right = (torch.gradient(pictures, dim=axis)[0] for axis in (2, 3))
    return (down.square() + right.square()).sum(1)


def _all_maps(shown: LookedAt, pictures: Tensor, classes: Tensor, say: Say) -> dict[str, Tensor]:
    found = {}
    for name, method in METHODS.items():
        say(f"maps by {name}")
        found[name] = torch.cat([
            method(shown.net, pictures[at : at + _BATCH], classes[at : at + _BATCH])
            for at in range(0, len(pictures), _BATCH)
        ])  # fmt: skip
    return found


def _panels(shown: LookedAt) -> tuple[Panels, bytes]:
    index = torch.as_tensor(shown.first_of_each_class(), device=shown.test.classes.device)
    pictures = shown.chosen(index)
    with torch.no_grad():
        said = shown.net(pictures).argmax(1)
    tiles: list[list[Points]] = [coloured(shown.scaled.back(pictures))]
    for name, method in METHODS.items():
        tiles.append([heat(one, signed=name == "occlusion") for one in method(shown.net, pictures, said)])
    columns = [CLASSES[k] for k in said.tolist()]
    truth = [CLASSES[k] for k in shown.test.classes[index].tolist()]
    wrong = [f"{is_} taken for {taken}" for is_, taken in zip(truth, columns, strict=True) if is_ != taken]
    note = (
        "The first test picture of each class, and maps for the class that the network says, which stands above. Saliency and "
        f"Grad-CAM: bright is important; occlusion by squares of {SQUARE} × {SQUARE} points: red speaks for the class, blue against it."
        + (f" Mistaken: {', '.join(wrong)}." if wrong else "")
    )
    return grid("Where the network looks", FILE, tiles, ["picture", *METHODS], columns, note)


def _table(
    shown: LookedAt, pictures: Tensor, classes: Tensor, maps: Mapping[str, Tensor], areas: Mapping[str, float]
) -> Table:
    outlines = edges(pictures)
    rows: list[list[Cell]] = []
    for name, found in maps.items():
        like_edges = rank_correlation(found, outlines)
        rows.append([name, areas[name], like_edges, _like_untrained(shown, name, pictures, classes, found)])
    rows += [["edges", areas["edges"], 1.0, None], ["random", areas["random"], None, None]]
    note = (
        f"Over {len(pictures)} test pictures. deletion: area under the curve of the figure, the less the better; like edges, like "
        "untrained: rank correlation with the outlines of the picture, and with the map of the network before training. edges knows "
        "nothing of the network."
    )
    return Table("How good the maps are", ("map", "deletion", "like edges", "like untrained"), rows, note)


def _like_untrained(shown: LookedAt, name: str, pictures: Tensor, classes: Tensor, found: Tensor) -> float:
    """The check of Adebayo et al. 2018: a map that a network without knowledge gives as well says nothing of what was learnt."""
    some = slice(0, _BATCH)
    return rank_correlation(METHODS[name](shown.untrained, pictures[some], classes[some]), found[some])


def _said(areas: Mapping[str, float], count: int) -> list[str]:
    best = min(METHODS, key=lambda name: areas[name])
    worse = [name for name in METHODS if areas[name] >= areas["random"]]
    said = [
        f"Taking away what {best} calls important, square by square, leaves an area of {areas[best]:.3f} under the probability, "
        f"squares in random order {areas['random']:.3f}, those with most edges of the picture {areas['edges']:.3f} ({count} pictures)."
    ]
    if worse:
        said.append(f"Not better than a random order by this measure: {', '.join(worse)}.")
    return said


__all__ = ["FILE", "SHARES", "attributions_shown", "edges"]
