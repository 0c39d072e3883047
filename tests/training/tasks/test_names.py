"""Names: what goes in and out, both gradients, and what the shares of samples mean."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from derive.errors import UsageError
from training.data.names import LETTERS, read_names
from training.errors import DatasetError
from training.run.compare import compare
from training.run.stepping import Stepping
from training.run.whole_run import prepared
from training.tasks import find
from training.tasks.names import END, START, NamesJob, encoded
from training.tasks.names_sampled import LONGEST, Way, chosen, drawn


def job(folder: Path, **given: object) -> NamesJob:
    own = {str(key): str(value) for key, value in dict(given.pop("own", {})).items()}  # type: ignore[call-overload]
    settings = find("names").settings.changed({"steps": 50, "hidden": 12, "batch": 8, **given}, {"samples": "4", **own})
    _, found = prepared(settings, str(folder))
    assert isinstance(found, NamesJob)
    return found


def test_what_goes_in_and_what_comes_out() -> None:
    data = encoded([(0, "Ab"), (1, "C")], "cpu")
    a, b, c = (LETTERS.index(letter) for letter in "AbC")
    assert data.inputs.T.tolist() == [[START, a, b], [START, c, START]]
    assert data.targets.T.tolist() == [[a, b, END], [c, END, -100]]


def test_padding_counts_for_nothing(names_folder: Path) -> None:
    """The loss of a batch is that of its names alone, weighted by their letters."""
    found = job(names_folder, dtype="float64")
    rows = [0, 1, 2, 3, 4]
    together = found.nats(encoded([found.trained[k] for k in rows], "cpu"))
    letters = [len(found.trained[k][1]) + 1 for k in rows]
    alone = [found.nats(encoded([found.trained[k]], "cpu")) for k in rows]
    assert together == pytest.approx(sum(n * x for n, x in zip(letters, alone, strict=True)) / sum(letters), rel=1e-12)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm", "mgu", "h_t = \\tanh(A h_{t-1} + B x_t + W_2 h_{t-2})"])
def test_both_gradients_give_the_same_curve(names_folder: Path, cell: str) -> None:
    settings = find("names").settings.changed({"hidden": 8, "batch": 8, "dtype": "float64", "cell": cell}, {})
    found = compare(settings, str(names_folder), 30)
    assert found.difference < 1e-11
    assert found.runs["derived"].losses[-1] < found.runs["derived"].losses[0]


def test_a_name_an_epoch(names_folder: Path) -> None:
    found = job(names_folder, own={"epoch": "name", "optimizer": "sgd"})
    assert found.epoch == 1
    objective, shown, _ = found.loss(3)
    letters = len(found.trained[found._drawn(3)[0]][1]) + 1
    assert objective.item() == pytest.approx(shown * letters, rel=1e-5)
    languages = {found.trained[found._drawn(step)[0]][0] for step in range(40)}
    assert languages == {0, 1, 2}


def test_it_learns(names_folder: Path) -> None:
    found = job(names_folder, learning_rate=0.02)
    first = found.nats(found.test)
    stepping = Stepping(found)
    for step in range(60):
        stepping(step)
    assert found.nats(found.test) < 0.75 * first


def test_top_k_takes_none_but_the_best(names_folder: Path) -> None:
    scores = torch.randn(1, 20).expand(2000, 20)
    best = set(scores[0].topk(3).indices.tolist())
    generator = torch.Generator().manual_seed(0)
    assert set(chosen(scores, Way(3), generator).tolist()) == best
    counts = chosen(scores, Way(0), generator).bincount(minlength=20) / 2000
    torch.testing.assert_close(counts, scores[0].softmax(-1), atol=0.04, rtol=0.0)


def test_a_temperature_near_zero_takes_the_best(names_folder: Path) -> None:
    found = job(names_folder)
    assert drawn(found, Way(0, 1e-6), 2, 0) == drawn(found, Way(1), 2, 7)


@pytest.mark.parametrize(
    "cell", ["h_t = \\tanh(W h_{t-1} + U x_t + V x_{t-1} + b)", "h_t = \\tanh(W h_{t-1} + U x_t)\nh_0 = p"]
)
def test_names_are_drawn_from_the_model_that_was_trained(names_folder: Path, cell: str) -> None:
    """The best letter each time, by the scores of all letters so far."""
    found = job(names_folder, cell=cell)
    with torch.no_grad():
        for weight in found.model.parameters():
            weight.copy_(torch.randn_like(weight))
        for language, (name,) in enumerate(drawn(found, Way(1), 1, 0)):
            letters = [START]
            while len(letters) <= LONGEST:
                scores, _ = found.model(torch.tensor([language]), torch.tensor(letters)[:, None])
                best = int(scores[-1, 0].argmax())
                if best == END:
                    break
                letters.append(best)
            assert name == "".join(LETTERS[k] for k in letters[1:])


def test_data_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "English.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(DatasetError, match="cannot be read"):
        read_names(tmp_path)
    (tmp_path / "English.txt").write_bytes(b"Ann\nMu\0ller\n")
    with pytest.raises(DatasetError, match=r"English\.txt, line 2: it holds zero bytes"):
        read_names(tmp_path)
    (tmp_path / "English.txt").write_text(f"Ann\n\n{'x' * 201}\n")
    with pytest.raises(DatasetError, match=r"English\.txt, line 3: 'x+ \.\.\. x+' has 201 letters"):
        read_names(tmp_path)
    (tmp_path / "English.txt").write_text("123\n")
    with pytest.raises(DatasetError, match="no names"):
        read_names(tmp_path)


@pytest.mark.parametrize(
    ("key", "value"), [("optimizer", "best"), ("epoch", "year"), ("held_out", "1.0"), ("held_out", "0")]
)
def test_settings_that_make_no_sense(names_folder: Path, key: str, value: str) -> None:
    with pytest.raises(UsageError):
        job(names_folder, own={key: value})
