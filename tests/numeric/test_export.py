"""Exported modules: what is written, that it runs alone, and that its own check holds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import bptt
from bptt.cli import main
from derive.cell import cell, library
from derive.errors import MissingRuleError, UsageError
from numeric.export import export

GOLDENS = Path(__file__).parent / "exported"
SEQUENCES = [name for name in library() if cell(name).tree is None]


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru", "sentiment", "bidirectional-rnn"])
def test_what_is_written(name: str, update_goldens: bool) -> None:
    golden = GOLDENS / f"{name.replace('-', '_')}_grad.py.txt"
    text = export(cell(name))
    if update_goldens:
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SEQUENCES)
def test_every_exported_module_checks_itself(name: str) -> None:
    module: dict[str, object] = {"__name__": "exported"}
    exec(compile(export(cell(name)), name, "exec"), module)
    assert module["check"]() < 1e-6  # type: ignore[operator]


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


@pytest.mark.parametrize("name", ["grad", "2nd.py", "a b.py", "grad.txt"])
def test_the_file_is_a_module(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "lstm", "-o", str(tmp_path / name)]) == 2
    assert "no name for a module" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_exported_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingRuleError, match="trees"):
        export(cell("tree-lstm"))
    with pytest.raises(UsageError, match="backend"):
        export(cell("lstm"), backend="cobol")
    assert main(["export", "h_t = \\phi(W h_{t-1})", "-o", str(tmp_path / "a.py")]) == 2
    assert not list(tmp_path.iterdir())
