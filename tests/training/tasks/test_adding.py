"""The adding problem, its gradients over time, and the cell of tensors beside torch's."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from training.layers.gradient_over_time import gradient_norms
from training.layers.recurrent import Recurrent
from training.run.whole_run import Request, train
from training.tasks import find
from training.tasks.adding import GUESS, sequences
from training.tasks.lstm_cell import differences


def test_the_constant_one_has_the_error_of_a_guess() -> None:
    _, sums = sequences(20_000, 4, (3,), torch.float64)
    assert float((sums - 1).square().mean()) == pytest.approx(GUESS, rel=0.02)


@pytest.mark.parametrize("grad", ["autograd", "derived"])
@pytest.mark.parametrize("name", ["rnn", "lstm", "mgu"])
def test_norms_are_those_of_one_graph(name: str, grad: str) -> None:
    """Against autograd through a loop of single steps, every state kept."""
    torch.manual_seed(2)
    layer = Recurrent(name, 2, 3, grad, "float64")
    x = torch.randn(6, 4, 2, dtype=torch.float64)
    times, norms = gradient_norms(layer, x, lambda h: h.square().sum(-1).mean(), points=6)
    plain = Recurrent(name, 2, 3, "autograd", "float64")
    plain.load_state_dict(layer.state_dict())
    states, state = [], None
    for row in x:
        output, state = plain(row[None], state)
        states.append(dict(state))
    loss = output[-1].square().sum(-1).mean()
    wanted = []
    for t, values in enumerate(states[:-1], 1):
        grads = torch.autograd.grad(loss, [*values.values()], retain_graph=True)
        wanted.append((t, (4 * sum(float(g.square().sum()) for g in grads)) ** 0.5))
    assert times == [1, 2, 3, 4, 5, 6]
    assert norms[:-1] == pytest.approx([norm for _, norm in wanted], rel=1e-10)


@pytest.mark.parametrize("grad", ["autograd", "derived"])
def test_the_cell_is_torchs(grad: str) -> None:
    for shape in ((1, 1, 1, 1), (4, 3, 2, 5)):
        assert max(differences(*shape, grad, "float64").values()) < 1e-12
        assert max(differences(*shape, grad, "float32").values()) < 1e-4


def test_both_train_alike(tmp_path: Path) -> None:
    settings = find("lstm-cell").settings.changed({"steps": 30, "hidden": 6, "batch": 4, "grad": "derived"}, {})
    numbers = train(Request(tmp_path, settings))["results"]["numbers"]
    assert numbers["largest relative difference of the loss curves"] < 1e-10


def test_cells_beside_each_other(tmp_path: Path) -> None:
    settings = find("practical-11").settings.changed(
        {"steps": 20, "hidden": 5, "batch": 4, "cell": "janet"}, {"length": "12"}
    )
    results = train(Request(tmp_path, settings))["results"]
    assert [row[0] for row in results["tables"][0]["rows"]] == ["rnn", "lstm", "gru", "janet"]
    assert {*results["lines"][0]["lines"]} == {"rnn", "lstm", "gru", "janet"}
    header, *rows = (tmp_path / "curve.csv").read_text().splitlines()
    assert "loss_janet" in header and "back_rnn" in header and len(rows) == 20
