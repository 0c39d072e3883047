"""What is looked at in a network that was trained on made pictures."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import torch
from matplotlib.image import imread

from derive.errors import UsageError
from training.data.cifar10 import SOURCE, read_images
from training.images.convnet import ConvNet
from training.images.job import Labelled, Scaled
from training.images.looked_at import LookedAt
from training.images.show_attributions import edges
from training.images.show_layers import channels
from training.run.settings import Settings
from training.run.whole_run import Request, prepared, train
from training.tasks import find


def settings(own: dict[str, str] | None = None, **given: object) -> Settings:
    small = {"held_out": "0.1", "ascent": "5", "attributed": "6"}
    return find("visualize").settings.changed(
        {"hidden": 4, "batch": 30, "epochs": 4, "precision": "full", **given}, {**small, **(own or {})}
    )


def test_all_of_it_is_found_and_pictured(images_folder: Path, tmp_path: Path) -> None:
    found = train(Request(tmp_path, settings(), str(images_folder)))["results"]
    numbers = found["numbers"]
    assert numbers["test accuracy"] > 0.3
    assert 0 < numbers["deletion area of Grad-CAM"] < 1
    assert {panels["file"] for panels in found["panels"]} == set(found["files"]) and len(found["files"]) == 5
    for panels in found["panels"]:
        points = imread(io.BytesIO((tmp_path / panels["file"]).read_bytes()))
        height, width = panels["tile"]
        assert points.shape[0] == height * len(panels["rows"]) and points.shape[1] % width == 0
        assert len(panels["columns"]) in (0, points.shape[1] // width)
    kinds = found["tables"][0]
    assert sum(row[1] for row in kinds["rows"]) == sum(row[2] for row in kinds["rows"]) == 4
    assert [len(values) for _, values in found["lines"][0]["lines"].values()] == [21] * 5
    assert len(found["said"]) >= 5


@pytest.fixture(scope="module")
def shown(images_folder: Path) -> LookedAt:
    images = read_images(SOURCE.folder(str(images_folder)), "test")
    torch.manual_seed(0)
    net = ConvNet(2).eval()
    return LookedAt(net, net, Scaled(images, "cpu", torch.float32), Labelled(images, "cpu"))


@torch.no_grad()
def test_selectivity_by_hand(shown: LookedAt) -> None:
    found = channels(shown)[2]
    maps = shown.net.maps(shown.pictures(0, shown.count))[2]
    means = maps.clamp(min=0).mean((2, 3))
    expected = []
    for channel in range(maps.shape[1]):
        by_class = [float(means[shown.test.classes == k, channel].mean()) for k in range(10)]
        highest = max(by_class)
        others = (sum(by_class) - highest) / 9
        expected.append((highest - others) / (highest + others))
    assert found.selectivity.tolist() == pytest.approx(expected, rel=1e-4)
    assert found.active.tolist() == pytest.approx((maps > 0).float().mean((0, 2, 3)).tolist())
    assert found.height == 16


def test_edges_know_where_a_picture_changes() -> None:
    x = torch.zeros(1, 3, 8, 8)
    x[:, :, :, 4:] = 1
    found = edges(x)[0]
    assert found[:, 3:5].min() > 0 and found[:, :3].max() == 0 and found[:, 5:].max() == 0


@pytest.mark.parametrize("own", [{"picture": "40"}, {"attributed": "0"}, {"ascent": "0"}])
def test_settings_that_make_no_sense(images_folder: Path, own: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        prepared(settings(own), str(images_folder))
