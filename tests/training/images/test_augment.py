"""Changed pictures, one at a time by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from training.images.augment import Augmentation

ROWS = np.arange(30)
PICTURES = torch.randn(30, 3, 9, 8, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("shift", [0, 1, 3])
def test_each_picture_is_a_shifted_one_and_mirrored_where_it_is_said(shift: int) -> None:
    augment = Augmentation(shift, 0, seed=4)
    mirrored = augment.mirrored(ROWS, 2)
    seen = set()
    for one, changed, turned in zip(PICTURES.numpy(), augment(PICTURES, ROWS, 2, 11), mirrored, strict=True):
        wide = np.pad(one, ((0, 0), (shift, shift), (shift, shift)), mode="reflect")
        places = {
            (down, right): wide[:, down : down + 9, right : right + 8]
            for down in range(2 * shift + 1)
            for right in range(2 * shift + 1)
        }
        same = [
            place for place, part in places.items() if np.array_equal(changed, part[:, :, ::-1] if turned else part)
        ]
        assert len(same) == 1
        seen.update(same)
    assert len(seen) > 1 or shift == 0


def test_two_passes_see_a_picture_from_both_sides() -> None:
    augment = Augmentation(0, 0, seed=0)
    first, second, third = (augment.mirrored(ROWS, number) for number in range(3))
    assert np.array_equal(first, ~second) and np.array_equal(first, third) and 5 < first.sum() < 25
    assert augment.mirrored(np.array([12]), 0) == first[12]  # whatever else is in the batch


def test_the_square_that_is_missing() -> None:
    ones = torch.ones(200, 3, 9, 8)
    holes = Augmentation(0, 4, seed=0)(ones, np.arange(200), 0, 0) == 0
    assert bool((holes[:, 0] == holes[:, 1]).all())
    for hole in holes[:, 0]:
        down, right = hole.any(1).sum(), hole.any(0).sum()
        assert 2 <= down <= 4 and 2 <= right <= 4 and hole.sum() == down * right
    assert bool(holes.any(0).all())  # no point is safe


def test_steps_differ_and_seeds_do() -> None:
    def changed(seed: int, step: int) -> torch.Tensor:
        return Augmentation(2, 3, seed)(PICTURES, ROWS, 0, step)

    assert torch.equal(changed(0, 5), changed(0, 5))
    assert not torch.equal(changed(0, 5), changed(0, 6)) and not torch.equal(changed(0, 5), changed(1, 5))
