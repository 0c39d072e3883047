"""Fewer bits: what is computed, what is refused, and runs that go on."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from derive.errors import UsageError
from training.layers.recurrent import Recurrent
from training.run.job import Job, Loss
from training.run.results import Results
from training.run.settings import Settings
from training.run.stepping import Stepping
from training.run.whole_run import Request, train
from training.tasks import find


class Line(Job):
    """y = w x with the loss w x, so that the gradient is x."""

    def __init__(self, x: float) -> None:
        model = torch.nn.Linear(1, 1, bias=False)
        super().__init__(model, torch.optim.SGD(model.parameters(), lr=1.0), 1)
        self.x, self.seen = x, torch.zeros(())

    def loss(self, step: int) -> Loss:
        value = self.model(torch.tensor([[self.x]]))
        return Loss(value.float().mean(), float(value.detach()))

    def before_update(self, step: int) -> None:
        (weight,) = self.model.parameters()
        self.seen = weight.grad.clone() if weight.grad is not None else self.seen

    def results(self) -> Results:
        return Results({})


@pytest.mark.parametrize(("precision", "digits"), [("full", 24), ("bfloat16", 8), ("float16", 11)])
def test_products_have_the_digits_of_their_type(precision: str, digits: int) -> None:
    job = Line(1 + 2.0**-7 + 2.0**-10 + 2.0**-20)
    stepping = Stepping(job, precision)
    for step in range(2):  # the first scale of float16 is too large for it
        stepping(step)
    rounded = round(job.x * 2 ** (digits - 1)) / 2 ** (digits - 1)
    assert job.seen.item() == rounded


def test_small_gradients_survive_in_float16() -> None:
    """2^-26 is zero in float16, unless it is scaled; the task sees it as it is."""
    job = Line(2.0**-10)
    stepping = Stepping(job, "float16")
    with torch.no_grad():
        job.model.weight.zero_()
    before = job.loss
    job.loss = lambda step: Loss(before(step).objective * 2.0**-16, 0.0)  # type: ignore[method-assign]
    stepping(0)
    assert job.seen.item() == 2.0**-26 and job.model.weight.item() == -(2.0**-26)


def test_an_overflow_makes_no_update_and_is_scaled_less() -> None:
    job = Line(60_000.0)
    with torch.no_grad():
        job.model.weight.fill_(1.0)
    stepping = Stepping(job, "float16")
    stepping(0)
    assert job.model.weight.item() == 1.0 and stepping.state()["scale"] == 2.0**15


@pytest.mark.parametrize("name", ["lstm", "mgu"])
def test_derived_gradients_are_computed_in_full(name: str) -> None:
    """Whatever stands around the cell; the same bits as without it."""
    torch.manual_seed(1)
    layer = Recurrent(name, 5, 4, "derived")
    found = []
    for cast in (False, True):
        layer.zero_grad()
        x = torch.linspace(-1, 1, 90).reshape(6, 3, 5).requires_grad_()
        with torch.autocast("cpu", torch.bfloat16, enabled=cast):
            output, _ = layer(x)
            output.square().sum().backward()  # a pass back inside of it, too
        found.append([output.detach(), x.grad, *(weight.grad for weight in layer.parameters())])
    assert all(torch.equal(one, other) for one, other in zip(*found, strict=True))


@pytest.mark.parametrize(("grad", "cell"), [("autograd", "lstm"), ("autograd", "mgu"), ("derived", "gru")])
def test_the_loss_is_near_that_of_all_bits(names_folder: Path, grad: str, cell: str) -> None:
    losses = []
    for precision in ("full", "bfloat16", "float16"):
        given = {"hidden": 8, "batch": 8, "cell": cell, "grad": grad, "precision": precision}
        settings = find("names").settings.changed(given, {})
        torch.manual_seed(0)
        stepping = Stepping(find("names").prepare(settings, str(names_folder), lambda text: None), precision)
        losses.append([stepping(step)[0] for step in range(5)])
    for found, tolerance in zip(losses[1:], (1e-2, 1e-3), strict=True):
        assert found != losses[0] and found == pytest.approx(losses[0], rel=tolerance)


def test_a_run_in_float16_goes_on_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    def settings(steps: int) -> Settings:
        given = {"steps": steps, "hidden": 4, "batch": 4, "precision": "float16", "grad": "autograd", "cell": "rnn"}
        return find("practical-11").settings.changed(given, {"length": "6"})

    train(Request(tmp_path / "whole", settings(9)))
    train(Request(tmp_path / "parts", settings(4)))
    train(Request(tmp_path / "parts", settings(9), resume=True))
    assert (tmp_path / "whole" / "curve.csv").read_bytes() == (tmp_path / "parts" / "curve.csv").read_bytes()


def test_what_would_do_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="--precision bfloat16 does nothing for --dtype float64"):
        find("names").settings.changed({"precision": "bfloat16", "dtype": "float64"}, {})
    with pytest.raises(UsageError, match="--precision is 'bf16'"):
        find("names").settings.changed({"precision": "bf16"}, {})
