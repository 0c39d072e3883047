"""Made reviews of two domains: what is learnt, and whether its explanations name the words that tell."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from made_reviews import BAD, FILLING, GOOD, made_reviews

from bptt.cli import main
from derive.errors import UsageError
from training.run.compare import compare
from training.run.settings import Settings
from training.run.whole_run import Request, prepared, train
from training.tasks import find
from training.tasks.sentiment_explained import Explained, sentences
from training.tasks.sentiment_job import SentimentJob
from training.tasks.sentiment_words import measured

STORY = "The film with awful actors. It and its story of a dull boring music! A fine film ..."


@pytest.fixture(scope="module")
def reviews(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """120 reviews of each of two domains and each part, and ten sentences of each other kind."""
    folder = tmp_path_factory.mktemp("amazon")
    home, other = folder / "mtl-dataset", folder / "sentiment labelled sentences"
    home.mkdir()
    other.mkdir()
    for seed, (domain, part) in enumerate((d, p) for d in ("apparel", "dvd") for p in ("train", "test")):
        lines = (f"{label}\t{' '.join(words)}" for label, words in made_reviews(60, seed))
        (home / f"{domain}.task.{part}").write_text("\n".join(lines) + "\n")
    for seed, name in enumerate(("amazon_cells", "imdb", "yelp")):
        lines = (f"{' '.join(words).capitalize()}.\t{label}" for label, words in made_reviews(5, 10 + seed))
        (other / f"{name}_labelled.txt").write_text("\n".join(lines) + "\n")
    return folder


def settings(own: Mapping[str, str] | None = None, **given: object) -> Settings:
    small = {"embedding": "8", "spread": "1", "vocabulary": "50", "dropout": "0.1", "text": STORY}
    return find("sentiment-amazon").settings.changed(
        {"cell": "lstm", "hidden": 8, "batch": 8, "learning_rate": 0.02, **given}, {**small, **(own or {})}
    )


@pytest.fixture(scope="module")
def learnt(reviews: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The folder and the metrics of a run."""
    folder = tmp_path_factory.mktemp("run")
    return folder, train(Request(folder, settings(epochs=4), str(reviews)))


def test_it_learns_both_domains_and_sentences(learnt: tuple[Path, dict[str, Any]]) -> None:
    results = learnt[1]["results"]
    by_domain, others = results["tables"][:2]
    assert [row[0] for row in by_domain["rows"]] == ["apparel", "dvd", "mean of the domains"]
    assert all(row[2] > 0.9 for row in by_domain["rows"])
    counts = [row[1] for row in by_domain["rows"]]
    left_out = sum(value for name, value in results["numbers"].items() if name.startswith("test reviews left out"))
    assert sum(counts[:2]) == counts[2] == results["numbers"]["test reviews"] == 240 - left_out
    first, second, mean = (row[3] for row in by_domain["rows"])
    assert mean == pytest.approx((first**2 + second**2) ** 0.5 / 2)
    assert [row[:2] for row in others["rows"]] == [["amazon", 10], ["imdb", 10], ["yelp", 10]]
    assert all(row[2] > 0.8 for row in others["rows"])


def test_held_out_reviews_are_measured_after_each_epoch(learnt: tuple[Path, dict[str, Any]]) -> None:
    rows = [line.split(",") for line in (learnt[0] / "curve.csv").read_text().splitlines()[1:]]
    assert len([row for row in rows if row[2]]) == 4


def test_the_words_that_tell_are_named(learnt: tuple[Path, dict[str, Any]]) -> None:
    results = learnt[1]["results"]
    story = results["texts"][0]
    for values in story["values"].values():
        by = dict(zip(story["tokens"], values, strict=True))
        assert by["awful"] < 0 and by["dull"] < 0 and by["boring"] < 0 < by["fine"]
        told = sum(abs(by[word]) for word in ("awful", "dull", "boring", "fine"))
        assert told > 0.5 * sum(map(abs, values))
    assert "(it)" in story["tokens"]  # no review has that word
    words = next(table for table in results["tables"] if table["title"].startswith("Words"))
    assert {row[0] for row in words["rows"][:3]} <= {*GOOD}
    assert {row[3] for row in words["rows"][:3]} <= {*BAD}
    named, drawn = (value for name, value in results["numbers"].items() if name.startswith("judgements changed"))
    assert named > 2 * drawn


def test_a_text_by_its_sentences(learnt: tuple[Path, dict[str, Any]]) -> None:
    """What is told of it, against the model itself."""
    results = learnt[1]["results"]
    table = next(table for table in results["tables"] if table["title"] == "A text by its sentences")
    assert [row[1] for row in table["rows"]] == [6, 10, 6]
    praise = next(lines for lines in results["lines"] if lines["title"].startswith("Probability"))["lines"]["praise"][1]
    assert [row[2] for row in table["rows"]] == [praise[5], praise[15], praise[21]]
    total = sum(row[3] for row in table["rows"])
    gap = results["numbers"]["integrated gradients: largest gap"]
    assert total == pytest.approx(sum(results["texts"][0]["values"]["integrated gradients"]), rel=1e-4)
    assert gap < 0.02
    norms = results["lines"][0]["lines"]
    assert {*norms} == {"final state", "final state, read backward", "what the readout reads"}
    assert table["rows"][0][5] == pytest.approx(sum(norms["final state"][1][:6]) / 6, rel=1e-4)


@pytest.mark.parametrize(("own", "grad"), [({"directions": "1", "pool": "last"}, "autograd"), ({}, "derived")])
def test_a_text_read_so_far_is_a_text_that_ends_there(reviews: Path, own: dict[str, str], grad: str) -> None:
    _, job = prepared(settings(own, grad=grad, dtype="float64"), str(reviews))
    assert isinstance(job, SentimentJob)
    told = Explained(job, job.scores(job.test))
    tokens = job.tokenize(STORY)
    praise = told.praise_so_far(told._vectors(tokens))
    alone = [torch.sigmoid(torch.tensor(told.followed(tokens[:t]).score)) for t in (1, 5, len(tokens))]
    assert [praise[0], praise[4], praise[-1]] == pytest.approx([float(value) for value in alone], abs=1e-6)


def test_hiding_all_words_leaves_the_judgement_of_nothing(reviews: Path) -> None:
    _, job = prepared(settings(), str(reviews))
    assert isinstance(job, SentimentJob)
    found = measured(job, job.test, range(20), hidden=1000)
    assert found.named == found.drawn and found.reviews == 20
    assert int(found.counts.sum()) == sum(job.test.lengths[:20])


def test_both_gradients_give_the_same_curve(reviews: Path) -> None:
    assert compare(settings({"dropout": "0"}, cell="gru", dtype="float64"), str(reviews), 5).difference < 1e-11


def test_a_finished_run_is_asked_about_another_text(
    reviews: Path, learnt: tuple[Path, dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["train", "sentiment-amazon", "--data", str(reviews), "-o", str(learnt[0]), "--resume", "--no-report"]
    assert main([*common, "--set", "text=A superb film, isn't it?", "--set", "explained=0"]) == 0
    found = json.loads((learnt[0] / "metrics.json").read_text())
    (text,) = found["results"]["texts"]
    assert [token.strip("()") for token in text["tokens"]] == ["a", "superb", "film", "is", "n't", "it", "?"]
    assert "--set 'text=A superb film, isn'" in found["command"] and found["steps"] == learnt[1]["steps"]
    assert found["results"]["numbers"]["test accuracy"] == learnt[1]["results"]["numbers"]["test accuracy"]
    assert (
        main([*common, "--set", "vocabulary=3"]) == 2
        and "begun with --set vocabulary=50, not with --set vocabulary=3" in capsys.readouterr().err
    )


def test_what_is_refused_before_training(reviews: Path) -> None:
    with pytest.raises(UsageError, match="--set text has 200 words"):
        prepared(settings({"text": "word " * 200}), str(reviews))
    with pytest.raises(UsageError, match="--set explained is -1"):
        prepared(settings({"explained": "-1"}), str(reviews))


def test_without_sentences_there_is_no_table_of_them(reviews: Path, tmp_path: Path) -> None:
    (tmp_path / "mtl-dataset").symlink_to(reviews / "mtl-dataset")
    results = train(Request(tmp_path / "run", settings({"explained": "0"}, steps=1), str(tmp_path)))["results"]
    assert not [table for table in results["tables"] if "single sentences" in table["title"]]


def test_a_text_without_words_and_one_without_stops() -> None:
    assert [tuple(part) for part in sentences(["well"])] == [(0, 1)]
    assert [tuple(part) for part in sentences([*FILLING, "."])] == [(0, len(FILLING) + 1)]
