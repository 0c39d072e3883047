"""The adding and the copy problem, gradients over time, and the cell of tensors beside torch's."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from derive.errors import UsageError
from training.layers.gradient_over_time import gradient_norms
from training.layers.recurrent import Recurrent
from training.run.whole_run import Request, prepared, train
from training.tasks import find
from training.tasks.adding import GUESS, sequences
from training.tasks.copying import LETTERS, Copying
from training.tasks.lstm_cell import differences
from training.tasks.practical_11 import Learner, problem_of


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


# -- the copy problem --------------------------------------------------------------------------------------


def test_the_string_is_asked_for_after_the_delay() -> None:
    length, string = 11, 3
    x, y = Copying(length, string).sequences(50, (4,), torch.float64)
    signs = x.argmax(-1)
    assert bool((x.sum(-1) == 1).all()) and torch.equal(signs[:string], y)
    assert bool((signs[string : length - string] == LETTERS).all())
    assert bool((signs[length - string] == LETTERS + 1).all()) and bool((signs[length - string + 1 :] == LETTERS).all())
    assert {*y.flatten().tolist()} == {*range(LETTERS)}


def test_a_guess_has_its_loss_and_the_answer_none() -> None:
    problem = Copying(9, 2)
    _, y = problem.sequences(30, (4,), torch.float64)
    guess = torch.zeros(2, 30, LETTERS, dtype=torch.float64)
    assert float(problem.loss(guess, y)) == pytest.approx(problem.guess) == pytest.approx(2.0794415)
    known = 100 * torch.nn.functional.one_hot(y, LETTERS).double()
    assert float(problem.loss(known, y)) < 1e-9 and problem.rightly(known, y) == 1.0
    assert problem.rightly(known.roll(1, -1), y) == 0.0


def test_a_cell_learns_to_copy() -> None:
    torch.manual_seed(0)
    settings = find("practical-11").settings.changed(
        {"hidden": 16, "grad": "autograd"}, {"problem": "copy", "length": "5", "string": "1"}
    )
    problem = problem_of(settings)
    learner = Learner("gru", problem, settings)
    adam = torch.optim.Adam(learner.parameters(), lr=0.03)
    for step in range(60):
        x, y = problem.sequences(32, (0, step), torch.float32)
        adam.zero_grad()
        problem.loss(learner(x), y).backward()
        adam.step()
    x, y = problem.sequences(200, (1,), torch.float32)
    found = learner(x).detach()
    assert float(problem.loss(found, y)) < 0.5 < problem.guess and problem.rightly(found, y) > 0.9


def test_the_results_of_the_copy_problem(tmp_path: Path) -> None:
    given = {"steps": 2, "hidden": 3, "batch": 4, "cell": "lstm", "grad": "autograd"}
    settings = find("practical-11").settings.changed(given, {"problem": "copy", "length": "7", "string": "3"})
    found = train(Request(tmp_path, settings))
    table = found["results"]["tables"][0]
    assert table["columns"][3] == "letters right" and table["title"] == "The copy problem: 3 letters over 4 steps"
    assert all(abs(row[2] - math.log(LETTERS)) < 0.5 for row in table["rows"])
    assert "--set problem=copy --set length=7 --set string=3" in found["command"]


@pytest.mark.parametrize(
    "own",
    [{"problem": "sorting"}, {"problem": "copy", "length": "6", "string": "3"}, {"problem": "copy", "string": "0"}],
)
def test_problems_that_are_none(own: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        prepared(find("practical-11").settings.changed({}, own), None)
