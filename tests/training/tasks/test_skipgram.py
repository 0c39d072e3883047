"""Word vectors: a made text in which words of a kind stand in the same places."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from derive.errors import UsageError
from training.run import checkpoint
from training.run.compare import compare
from training.run.curve import read_curve
from training.run.metrics import command
from training.run.settings import Settings
from training.run.whole_run import Request, prepared, settings_of, train
from training.tasks import find
from training.tasks.skipgram import SkipGramJob
from training.tasks.skipgram_sense import Vectors, answered, of_their_kind, plane

ROOT = Path(__file__).parents[3]
KINDS = {"animals": "dog cat horse cow sheep".split(), "colours": "red blue green yellow black".split()}
SMALL = {"vocabulary": "40", "subsample": "0", "held_out": "0.1", "decay_steps": "0"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """6,000 words: "the ANIMAL runs home" and "it was COLOUR again", in random order."""
    rng = random.Random(3)
    frames = [
        ("the {} runs home and", KINDS["animals"]),
        ("it was {} paint again", KINDS["colours"]),
    ]
    lines = []
    for _ in range(1200):
        frame, words = rng.choice(frames)
        lines.append(frame.format(rng.choice(words)))
    home = tmp_path_factory.mktemp("text8")
    (home / "text8").write_text(" " + " ".join(lines) + " end")
    return home


def settings(own: dict[str, str] | None = None, **given: object) -> Settings:
    return find("skipgram").settings.changed({"hidden": 6, "batch": 32, "steps": 30, **given}, {**SMALL, **(own or {})})


def job(folder: Path, own: dict[str, str] | None = None, **given: object) -> SkipGramJob:
    _, found = prepared(settings(own, **given), str(folder))
    assert isinstance(found, SkipGramJob)
    return found


@pytest.mark.parametrize(
    ("own", "given"),
    [
        ({}, {"learning_rate": 0.05}),
        ({"loss": "sampled", "optimizer": "momentum"}, {"learning_rate": 0.3}),
        ({"loss": "sampled", "activation": "tanh", "subsample": "0.02"}, {"learning_rate": 0.05}),
        ({"loss": "squared", "optimizer": "adagrad"}, {"learning_rate": 0.2}),
    ],
)
def test_words_of_a_kind_come_together(
    folder: Path, tmp_path: Path, own: dict[str, str], given: dict[str, object]
) -> None:
    found = train(Request(tmp_path, settings(own, steps=400, **given), str(folder)))
    words = checkpoint.read(tmp_path)["job"]["words"]
    embedding = checkpoint.read(tmp_path)["model"]["embedding"].numpy()
    kinds = of_their_kind(Vectors(words, embedding), KINDS)
    assert all(same == count == 5 for count, same, _ in kinds.values())
    assert found["results"]["points"] and "shortened" in " ".join(found["results"]["said"])
    curve = read_curve(tmp_path)
    assert float(curve["loss"][-1]) < 0.8 * float(curve["loss"][0])


def test_the_first_loss_is_that_of_equal_words(folder: Path) -> None:
    found = job(folder, dtype="float64")
    assert found.loss(0).shown == pytest.approx(np.log(len(found.corpus.words)), rel=1e-12)


def learnt(folder: Path, loss: str) -> tuple[SkipGramJob, float]:
    """A trained job, and the entropy of a context word when the centre word is known, which counting gives: no loss is below it."""
    found = job(folder, {"loss": loss, "negatives": "40"}, learning_rate=0.03, hidden=16)
    for step in range(800):
        found.optimizer.zero_grad()
        found.loss(step).objective.backward()
        found.optimizer.step()
    centre, context = found.train.rows(np.arange(len(found.train)))
    together = np.zeros((len(found.corpus.words),) * 2)
    np.add.at(together, (np.repeat(centre, 4), context.ravel()), 1)
    conditional = together / together.sum(axis=1, keepdims=True)
    return found, -(together * np.log(np.where(together, conditional, 1))).sum() / together.sum()


@pytest.mark.parametrize("loss", ["softmax", "sampled"])
def test_it_learns_the_entropy_of_the_context(folder: Path, loss: str) -> None:
    """The scores of negative sampling are log p(c | w) only together with the noise."""
    found, entropy = learnt(folder, loss)
    nats = found.results().numbers
    assert entropy - 0.02 < nats["held-out nats per context word"] < entropy + 0.06
    assert nats["held-out nats per context word by frequencies alone"] > entropy + 0.5
    if loss == "softmax":
        assert nats["held-out nats per context word"] == pytest.approx(found.held_out_loss())


def test_each_step_drops_other_values(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = job(folder, {"dropout": "0.5"})
    found.network.arrays["output"][...] = np.random.default_rng(0).standard_normal((len(found.corpus.words), 7))
    found.network.arrays["embedding"][...] = 1
    monkeypatch.setattr(found.order, "rows", lambda step: np.arange(32))
    first, second, again = (found.loss(step).shown for step in (0, 1, 0))
    assert first == again != second


def test_the_batches_are_the_windows_of_the_text(folder: Path) -> None:
    found = job(folder)
    text = (folder / "text8").read_text().split()[:-1]
    cut = len(text) - round(0.1 * len(text))
    assert len(found.train) == cut - 4 and len(found.held_out) == len(text) - cut - 4
    centre, context = found.train.rows(found.order.rows(5))
    words = found.corpus.words
    windows = {tuple(text[k : k + 5]) for k in range(cut - 4)}
    for c, row in zip(centre, context, strict=True):
        a, b, d, e = (words[k] for k in row)
        assert (a, b, words[c], d, e) in windows


# -- runs that go on ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("own", [{"optimizer": "adam", "dropout": "0.3"}, {"loss": "sampled", "optimizer": "momentum"}])
def test_it_goes_on_where_it_stopped(folder: Path, tmp_path: Path, own: dict[str, str]) -> None:
    own = {**own, "decay_steps": "10", "subsample": "0.02"}
    train(Request(tmp_path / "whole", settings(own, steps=24), str(folder)))
    train(Request(tmp_path / "parts", settings(own, steps=9), str(folder)))
    np.random.default_rng().random(5)
    longer = settings_of(tmp_path / "parts").changed({"steps": 24}, {})
    train(Request(tmp_path / "parts", longer, str(folder), resume=True))
    assert (tmp_path / "whole" / "curve.csv").read_bytes() == (tmp_path / "parts" / "curve.csv").read_bytes()
    one, two = (checkpoint.read(tmp_path / name)["model"] for name in ("whole", "parts"))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_after_a_kill_the_curve_is_that_of_an_unbroken_run(folder: Path, tmp_path: Path) -> None:
    own, steps = {**SMALL, "dropout": "0.2"}, 450
    more = [word for key, value in own.items() for word in ("--set", f"{key}={value}")]
    size = ["--steps", str(steps), "--hidden", "6", "--batch", "32", "--checkpoint-every", "7", "--no-report"]
    command = ["-m", "bptt", "train", "skipgram", "--data", str(folder), "-o", str(tmp_path / "broken"), *size, *more]
    process = subprocess.Popen(
        [sys.executable, *command],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    curve, end = tmp_path / "broken" / "curve.csv", time.monotonic() + 60
    while time.monotonic() < end and not (curve.exists() and len(curve.read_bytes().splitlines()) > 30):
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    reached = checkpoint.read(tmp_path / "broken")["at"]["step"]
    assert 0 < reached < steps and reached % 7 == 0
    train(Request(tmp_path / "broken", settings(own, steps=steps), str(folder), resume=True))
    train(Request(tmp_path / "whole", settings(own, steps=steps), str(folder)))
    assert (tmp_path / "whole" / "curve.csv").read_bytes() == curve.read_bytes()
    one, two = (checkpoint.read(tmp_path / name)["model"] for name in ("whole", "broken"))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_another_text_is_no_way_to_go_on(folder: Path, tmp_path: Path) -> None:
    train(Request(tmp_path / "run", settings(), str(folder)))
    other = tmp_path / "other"
    other.mkdir()
    (other / "text8").write_text((folder / "text8").read_text()[:-20])
    with pytest.raises(UsageError, match="begun with other data: text"):
        train(Request(tmp_path / "run", settings(steps=40), str(other), resume=True))


# -- settings ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "given", "message"),
    [
        ({}, {"grad": "derived"}, "--grad derived does not apply"),
        ({}, {"grad": "autograd"}, "--grad autograd does not apply"),
        ({}, {"cell": "lstm"}, "--cell lstm does not apply"),
        ({}, {"device": "meta"}, "--device meta"),
        ({"loss": "hinge"}, {}, "one of softmax, sampled, squared"),
        ({"optimizer": "lion"}, {}, "one of sgd, momentum"),
        ({"activation": "gelu"}, {}, "one of identity"),
        ({"dropout": "1"}, {}, "--set dropout is 1.0"),
        ({"window": "0"}, {}, "--set window is 0"),
        ({"vocabulary": "1"}, {}, "--set vocabulary is 1"),
        ({"negatives": "0"}, {}, "--set negatives is 0"),
        ({"decay_steps": "-1"}, {}, "--set decay_steps is -1"),
        ({"subsample": "-1"}, {}, "--set subsample is -1"),
        ({"held_out": "0"}, {}, "--set held_out is 0.0"),
    ],
)
def test_settings_that_make_no_sense(folder: Path, own: dict[str, str], given: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        prepared(settings(own, **given), str(folder))


def test_there_is_no_derived_gradient_to_compare(folder: Path) -> None:
    with pytest.raises(UsageError, match="does not apply to skipgram"):
        compare(settings(), str(folder), 2)


def test_the_command_names_no_cell_and_no_gradients() -> None:
    assert "--cell" not in command(settings()) and "--grad" not in command(settings())


# -- what vectors know -------------------------------------------------------------------------------------


def test_analogies_by_brute_force() -> None:
    rng = np.random.default_rng(6)
    words = tuple("abcdefghij")
    rows = rng.standard_normal((10, 4))
    pairs = [("a", "b"), ("c", "d"), ("e", "f"), ("a", "g"), ("z", "a")]
    unit = {word: row / np.linalg.norm(row) for word, row in zip(words, rows, strict=True)}
    asked = right = first = baseline = 0
    for a, b in pairs:
        for c, d in pairs:
            if len({a, b, c, d}) < 4 or "z" in (a, c):
                continue
            asked += 1
            others = [word for word in words if word not in (a, b, c)]
            by_sum, by_c = (
                sorted(others, key=lambda word: -float(unit[word] @ aim))
                for aim in (unit[b] - unit[a] + unit[c], unit[c])
            )
            right, first, baseline = right + (by_sum[0] == d), first + (d in by_sum[:5]), baseline + (by_c[0] == d)
    found = answered(Vectors(words, rows), pairs)
    assert (found.asked, found.right, found.first, found.baseline) == (asked, right, first, baseline) and asked == 10


def test_the_plane_is_that_of_the_covariance() -> None:
    rows = np.random.default_rng(2).standard_normal((30, 5)) * [3, 1, 2, 0.1, 0.5]
    points, share = plane(rows)
    values, vectors = np.linalg.eigh(np.cov(rows.T))
    assert share == pytest.approx(values[-2:].sum() / values.sum())
    projected = (rows - rows.mean(axis=0)) @ vectors[:, [-1, -2]]
    np.testing.assert_allclose(np.abs(points), np.abs(projected), atol=1e-10)


def test_words_that_are_unknown_are_no_error() -> None:
    from training.tasks.skipgram_sense import sense

    found = sense(Vectors(("qq", "zz"), np.zeros((2, 3))))
    assert found.numbers["analogies with all words in the vocabulary"] == 0 and not found.points
