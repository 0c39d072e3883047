"""Film reviews: made ones, in the layout of the archive."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from made_reviews import made_reviews

from derive.errors import UsageError
from training.data.imdb import read_reviews
from training.data.vocabulary import PAD
from training.errors import DatasetError
from training.layers.bidirectional import CellEncoder, PackedEncoder, TorchEncoder
from training.run.compare import compare
from training.run.settings import Settings
from training.run.whole_run import Request, prepared, train
from training.tasks import find
from training.tasks.sentiment_job import SentimentJob


@pytest.fixture(scope="module")
def reviews(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """120 reviews a part, of 3 to 20 words, two of which tell."""
    folder = tmp_path_factory.mktemp("imdb")
    for seed, part in enumerate(("train", "test")):
        for kind in ("pos", "neg"):
            (folder / "aclImdb" / part / kind).mkdir(parents=True)
        for number, (label, words) in enumerate(made_reviews(60, seed)):
            path = folder / "aclImdb" / part / ("pos" if label else "neg") / f"{number}_7.txt"
            path.write_text("<br />".join(words).capitalize() + ".")
    return folder


def settings(own: dict[str, str] | None = None, **given: object) -> Settings:
    small = {"embedding": "8", "vocabulary": "50"}
    return find("sentiment-imdb").settings.changed(
        {"hidden": 8, "batch": 8, "threads": 1, **given}, {**small, **(own or {})}
    )


@pytest.mark.parametrize(
    ("own", "given"),
    [
        ({}, {"epochs": 12}),
        ({"directions": "2", "pool": "max", "dropout": "0.1"}, {"cell": "lstm", "epochs": 6}),
        ({"directions": "2"}, {"cell": "gru", "grad": "derived", "epochs": 10}),
    ],
)
def test_it_learns(reviews: Path, tmp_path: Path, own: dict[str, str], given: dict[str, object]) -> None:
    chosen = settings(own, learning_rate=0.02, **given)
    numbers = train(Request(tmp_path, chosen, str(reviews)))["results"]["numbers"]
    assert numbers["test accuracy"] > 0.9 and numbers["test reviews"] == 120


@pytest.mark.parametrize("layer", ["torch", "packed", "cells"])
@pytest.mark.parametrize("pool", ["last", "max"])
def test_a_score_does_not_depend_on_the_batch(reviews: Path, layer: str, pool: str) -> None:
    chosen = settings({"directions": "2", "layer": layer, "pool": pool}, cell="lstm", dtype="float64")
    _, job = prepared(chosen, str(reviews))
    assert isinstance(job, SentimentJob)
    job.model.eval()
    rows = [0, 1, 2, 3, 4]
    words, lengths, _ = job.test.batch(rows, "cpu")
    assert bool((words == PAD).any())
    alone = [job.model(*job.test.batch([k], "cpu")[:2]) for k in rows]
    torch.testing.assert_close(job.model(words, lengths), torch.cat(alone), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("pool", ["last", "max"])
@pytest.mark.parametrize("grad", ["autograd", "derived"])
def test_two_cells_are_torchs_bidirectional_layer(pool: str, grad: str) -> None:
    theirs = PackedEncoder("lstm", 3, 4, True, pool, "float64")
    ours = CellEncoder("lstm", 3, 4, True, pool, "float64", grad)
    assert ours.back is not None
    with torch.no_grad():
        for layer, end in ((ours.ahead, ""), (ours.back, "_reverse")):
            for gate, k in zip("ifco", range(4), strict=True):
                part = slice(4 * k, 4 * k + 4)
                for letter, name in (("W", "weight_hh_l0"), ("U", "weight_ih_l0"), ("b", "bias_ih_l0")):
                    layer.cell.weights[f"{letter}_{gate}"].copy_(getattr(theirs.layer, name + end)[part])
            getattr(theirs.layer, f"bias_hh_l0{end}").zero_()
    x = torch.randn(6, 3, 3, dtype=torch.float64)
    lengths = torch.tensor([6, 2, 4])
    found = []
    for encoder in (theirs, ours):
        leaf = x.clone().requires_grad_()
        value = encoder(leaf, lengths)
        value.square().sum().backward()
        found += [value.detach(), leaf.grad]
    torch.testing.assert_close(found[0], found[2])
    torch.testing.assert_close(found[1], found[3])


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_padded_batches_are_read_as_packed_ones(cell: str) -> None:
    found = []
    for kind in (TorchEncoder, PackedEncoder):
        torch.manual_seed(3)  # both draw the same weights
        encoder = kind(cell, 3, 4, True, "last", "float64")
        value = encoder(torch.linspace(-1, 1, 54, dtype=torch.float64).reshape(6, 3, 3), torch.tensor([6, 2, 4]))
        value.square().sum().backward()
        found.append([value.detach(), *(weight.grad for weight in encoder.parameters())])
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize(
    ("own", "given"),
    [
        ({"directions": "3"}, {}),
        ({"pool": "mean"}, {}),
        ({"layer": "mine"}, {}),
        ({"dropout": "1"}, {}),
        ({}, {"cell": "mgu"}),
    ],
)
def test_settings_that_make_no_sense(reviews: Path, own: dict[str, str], given: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        prepared(settings(own, **given), str(reviews))


def test_both_gradients_give_the_same_curve(reviews: Path) -> None:
    found = compare(settings({"directions": "2"}, cell="lstm", dtype="float64"), str(reviews), 15)
    assert found.difference < 1e-11


def test_dropout_goes_on_where_it_stopped(reviews: Path, tmp_path: Path) -> None:
    own = {"dropout": "0.5", "directions": "2"}
    for grad in ("autograd", "derived"):
        whole, parts = tmp_path / f"whole-{grad}", tmp_path / f"parts-{grad}"
        train(Request(whole, settings(own, cell="lstm", grad=grad, steps=24), str(reviews)))
        train(Request(parts, settings(own, cell="lstm", grad=grad, steps=9), str(reviews)))
        torch.rand(100)  # what else happens to torch's random numbers does not matter
        train(Request(parts, settings(own, cell="lstm", grad=grad, steps=24), str(reviews), resume=True))
        assert (whole / "curve.csv").read_bytes() == (parts / "curve.csv").read_bytes()


def test_zero_bytes_are_no_review(tmp_path: Path) -> None:
    for kind in ("pos", "neg"):
        (tmp_path / "train" / kind).mkdir(parents=True)
        (tmp_path / "train" / kind / "0_1.txt").write_bytes(b"fine\nor \0 not")
    with pytest.raises(DatasetError, match=r"0_1\.txt, line 2: it holds zero bytes"):
        read_reviews(tmp_path, "train")


def test_an_empty_folder(reviews: Path, tmp_path: Path) -> None:
    for part in ("train", "test"):
        for kind in ("pos", "neg"):
            (tmp_path / "aclImdb" / part / kind).mkdir(parents=True)
    with pytest.raises(DatasetError, match="holds no reviews"):
        prepared(settings(), str(tmp_path))
