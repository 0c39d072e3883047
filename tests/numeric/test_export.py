"""Exported modules: what is written, that it runs alone, and that its own check holds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from amount import some

import bptt
from bptt.cli import main
from derive.cell import cell, library
from derive.errors import MissingRuleError, UsageError
from numeric.export import export
from numeric.lower import abstract_arguments

GOLDENS = Path(__file__).parent / "exported"
TREES = [name for name in library() if cell(name).tree is not None]


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru", "sentiment", "bidirectional-rnn", "tree-lstm"])
def test_what_is_written(name: str, update_goldens: bool) -> None:
    golden = GOLDENS / f"{name.replace('-', '_')}_grad.py.txt"
    text = export(cell(name))
    if update_goldens:
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("name", library())
def test_every_exported_module_checks_itself(name: str, backend: str) -> None:
    module: dict[str, object] = {"__name__": "exported"}
    exec(compile(export(cell(name), backend), name, "exec"), module)
    assert module["check"]() < 1e-6  # type: ignore[operator]


@pytest.mark.parametrize("name", some(["sentiment", "row-tagger", "bidirectional-rnn", "rnn"], 2))
def test_modules_for_jax(name: str) -> None:
    pytest.importorskip("jax")
    module: dict[str, object] = {"__name__": "exported"}
    exec(compile(export(cell(name), "jax"), name, "exec"), module)
    assert module["check"]() < 1e-6  # type: ignore[operator]


@pytest.mark.parametrize("name", TREES)
def test_modules_for_trees_give_what_the_compiled_cell_gives(name: str) -> None:
    subject = cell(name)
    function = bptt.compile(subject)
    generator = np.random.default_rng(0)
    parents, sizes = [3, 3, 7, 6, 6, 7, 8], {"n": 4, "d": 3, "m": 2}
    arrays = {key: generator.normal(size=function.signature.numbers(key, sizes)) for key in subject.parameters}
    labels = [key for key in subject.inputs if key in subject.labels]
    numbers = [key for key in subject.inputs if key not in subject.labels]
    series = {key: generator.normal(size=(7, 2, *function.signature.numbers(key, sizes))) for key in numbers}
    series |= {key: generator.integers(0, 2, size=(7, 2)) for key in labels}
    passed = abstract_arguments(subject)
    given = {key: generator.normal(size=(7, 2, *function.signature.numbers(key, sizes))) for key in passed}
    truth = function(arrays, series, cotangents=given, tree=parents)
    module: dict[str, object] = {"__name__": "exported"}
    exec(compile(export(subject), name, "exec"), module)
    called = {f"{key}_cotangent": value for key, value in given.items()}
    _, _, gradients = module["loss_and_gradients"]({**arrays, **series, **called}, parents)  # type: ignore[operator]
    for key in (*subject.parameters, *numbers):
        np.testing.assert_array_equal(gradients[key], truth.gradients[key])


def test_float32_stays_float32() -> None:
    module: dict[str, object] = {"__name__": "exported"}
    exec(compile(export(cell("rnn")), "rnn", "exec"), module)
    given = {
        "W": np.eye(3),
        "U": np.eye(3),
        "b": np.zeros(3),
        "x": np.ones((5, 2, 3)),
        "h_cotangent": np.ones((5, 2, 3)),
    }
    single = {key: value.astype("f4") for key, value in given.items()}
    _, _, gradients = module["loss_and_gradients"](single)  # type: ignore[operator]
    assert {value.dtype for value in gradients.values()} == {np.dtype("f4")}


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize(
    "text",
    [
        "h_t = \\tanh(W h_{t-1} + b)\nL = h_T^\\top h_T",
        "p_t = \\operatorname{softmax}(V h_t + c)\nh_t = \\tanh(W h_{t-1} + U x_t)\nL = -\\sum_{t=1}^{T} y_t^\\top \\log(p_t)\n\\mathbf{1}^\\top y_t = 1",
    ],
)
def test_modules_without_inputs_and_with_distributions(text: str, backend: str) -> None:
    module: dict[str, object] = {"__name__": "exported"}
    exec(compile(export(bptt.cell(text), backend), "exported", "exec"), module)
    assert module["check"]() < 1e-6  # type: ignore[operator]


def test_cotangents_are_of_quantities_of_the_cell() -> None:
    for wrong in ("x", "W_r"):
        with pytest.raises(UsageError, match=f"{wrong} is not computed in every step"):
            export(cell("gru"), cotangents=[wrong])


def test_a_wrong_line_fails_the_check() -> None:
    text = export(cell("lstm")).replace("delta_o = o[t] * (1 - o[t]) * o_bar", "delta_o = o[t] * (1 - f[t]) * o_bar")
    module: dict[str, object] = {"__name__": "exported"}
    exec(compile(text, "lstm", "exec"), module)
    assert module["check"]() > 1e-4  # type: ignore[operator]


def test_a_module_gives_what_the_compiled_cell_gives() -> None:
    subject = bptt.cell("gru")
    generator = np.random.default_rng(0)
    n, d, length, batch = 4, 3, 5, 2
    sizes = {"n": n, "d": d}
    params = {
        key: generator.normal(size=[sizes[str(size)] for size in subject.shapes[key] if size != 1])
        for key in subject.parameters
    }
    x, g = generator.normal(size=(length, batch, d)), generator.normal(size=(length, batch, n))
    result = bptt.compile(subject)(params, {"x": x}, cotangents={"h": g})
    module: dict[str, object] = {"__name__": "exported"}
    exec(compile(export(subject), "gru", "exec"), module)
    loss, states, gradients = module["loss_and_gradients"]({**params, "x": x, "h_cotangent": g})  # type: ignore[operator]
    assert loss is None
    np.testing.assert_array_equal(states["h"], result.states["h"])
    for key in (*subject.parameters, "x"):
        np.testing.assert_array_equal(gradients[key], result.gradients[key])


def test_the_command_writes_a_module_that_runs_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "lstm_grad.py"
    assert main(["export", "lstm", "-o", str(path)]) == 0
    assert capsys.readouterr().out.strip() == str(path)
    done = subprocess.run([sys.executable, "-I", str(path)], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0 and "largest relative error" in done.stdout
    assert "bptt" not in path.read_text().replace("Derived by bptt", "")


@pytest.mark.parametrize("name", ["grad", "2nd.py", "a b.py", "grad.txt", "class.py", "numpy.py"])
def test_the_file_is_a_module(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "lstm", "-o", str(tmp_path / name)]) == 2
    assert "no name for a module" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_exported_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingRuleError, match="trees"):
        export(cell("tree-lstm"), "jax")
    with pytest.raises(UsageError, match="backend"):
        export(cell("lstm"), backend="cobol")
    assert main(["export", "h_t = \\phi(W h_{t-1})", "-o", str(tmp_path / "a.py")]) == 2
    assert not list(tmp_path.iterdir())
