"""Calls of machine code: shortcuts, threads, memory, and the folder in which it is kept."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bptt
from derive.errors import DataError
from numeric.function import Result
from numeric.native import layout, memory, target, threads

CELL = """
h_t = \\tanh(W h_{t-1} + U x_t + V x_{t-1})
p_t = \\operatorname{softmax}(V_p h_t)
L = -\\sum_{t=1}^{T} e_{y_t}^\\top \\log p_t
"""
N, D, M = 5, 3, 4


def _arguments(seed: int, *lead: int) -> dict[str, dict[str, Any]]:
    generator = np.random.default_rng(seed)
    shapes = {"W": (N, N), "U": (N, D), "V": (N, D), "V_p": (M, N)}
    return {
        "params": {key: generator.normal(size=shape) for key, shape in shapes.items()},
        "inputs": {"x": generator.normal(size=(*lead, D))},
        "initial_state": {"h": generator.normal(size=(*lead[1:], N))},
        "targets": {"y": generator.integers(0, M, size=lead)},
    }


def _same(found: Result, truth: Result, tolerance: float = 1e-12) -> None:
    assert found.loss == pytest.approx(truth.loss, rel=tolerance)
    for one, other in ((found.states, truth.states), (found.gradients, truth.gradients)):
        assert list(one) == list(other)
        for key in other:
            np.testing.assert_allclose(one[key], other[key], rtol=0, atol=10 * tolerance, err_msg=key)


def _functions(dtype: str = "float64") -> tuple[bptt.CompiledCell, bptt.CompiledCell]:
    cell = bptt.cell(CELL)
    return bptt.compile(cell, "compiled", dtype), bptt.compile(cell, "numpy", dtype)


@pytest.mark.parametrize("lead", [(6,), (6, 3), (1, 1), (1,)])
def test_every_call_takes_its_own_numbers(lead: tuple[int, ...]) -> None:
    function, truth = _functions()
    kept = []
    for seed in (0, 1, 2, 1):
        kept.append((function(**_arguments(seed, *lead)), truth(**_arguments(seed, *lead))))
    for found, right in kept:  # what an earlier call gave is not touched by a later one
        _same(found, right)


def _other_memory(array: np.ndarray) -> np.ndarray:
    wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
    wide[..., ::2] = array
    return wide[..., ::2]


CHANGES = {
    "float32": lambda array: array.astype("f4").astype("f8").astype("f4"),
    "every second number": _other_memory,
    "from last to first": lambda array: array[::-1].copy()[::-1],
    "columns first": np.asfortranarray,
    "big endian": lambda array: array.astype(array.dtype.newbyteorder(">")),
    "a subclass": lambda array: array.view(np.matrix) if array.ndim == 2 else array,
    "a list": lambda array: array.tolist(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_arrays_of_other_forms(change) -> None:  # type: ignore[no-untyped-def]
    """After the shortcut is known for plain arrays, and again for these."""
    function, truth = _functions()
    function(**_arguments(0, 6, 3))
    for seed in (1, 2):
        arguments = _arguments(seed, 6, 3)
        for group in ("params", "inputs", "initial_state"):
            arguments[group] = {key: change(value) for key, value in arguments[group].items()}
        _same(function(**arguments), truth(**arguments))
        _same(function(**_arguments(seed, 6, 3)), truth(**_arguments(seed, 6, 3)))


def test_arrays_that_must_not_be_written_to() -> None:
    function, truth = _functions()
    for _ in range(2):
        arguments = _arguments(0, 6, 3)
        for group in arguments.values():
            for array in group.values():
                array.setflags(write=False)
        _same(function(**arguments), truth(**_arguments(0, 6, 3)))


@pytest.mark.parametrize("kind", ["int8", "uint16", "int64", "float64"])
def test_labels_of_every_type(kind: str) -> None:
    function, truth = _functions()
    for seed in (0, 1):
        arguments = _arguments(seed, 6, 3)
        arguments["targets"] = {"y": arguments["targets"]["y"].astype(kind)}
        _same(function(**arguments), truth(**arguments))


def test_what_is_wrong_is_said_after_a_shortcut_too() -> None:
    function, _ = _functions()
    function(**_arguments(0, 6, 3))
    wrong = _arguments(0, 6, 3)
    wrong["params"]["W"] = np.ones((N, N + 1))
    with pytest.raises(DataError, match="W: n is 6, but 5"):
        function(**wrong)
    wrong = _arguments(0, 6, 3)
    wrong["params"]["Q"] = wrong["params"].pop("W")
    with pytest.raises(DataError, match="'Q' is unknown"):
        function(**wrong)
    wrong = _arguments(0, 6, 3)
    wrong["inputs"] = {"x": None}
    with pytest.raises(DataError, match="x"):
        function(**wrong)


def test_starting_values_may_be_left_out() -> None:
    function, truth = _functions()
    for seed in (0, 1):
        arguments = _arguments(seed, 6, 3)
        del arguments["initial_state"]
        _same(function(**arguments), truth(**arguments))


@pytest.mark.parametrize("lead", [(0, 2), (3, 0)])
def test_nothing_to_compute(lead: tuple[int, int]) -> None:
    function, truth = _functions()
    for _ in range(2):
        _same(function(**_arguments(0, *lead)), truth(**_arguments(0, *lead)))


def test_without_looking_into_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the address of an array does not stand where it is expected, arrays are asked for it."""
    monkeypatch.setattr(memory, "_WITHIN", None)
    monkeypatch.setattr("numeric.native.entry.WITHIN", 0)
    function, truth = _functions()
    for seed in (0, 1):
        _same(function(**_arguments(seed, 6, 3)), truth(**_arguments(seed, 6, 3)))


# -- threads -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("batch", [2, 7, 16, 33])
def test_threads_share_a_batch(batch: int, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "ENOUGH", 0)
    monkeypatch.setenv(threads.THREADS, str(count))
    function, truth = _functions()
    for seed in (0, 1):
        _same(function(**_arguments(seed, 9, batch)), truth(**_arguments(seed, 9, batch)), 1e-11)


@pytest.mark.parametrize("enough", [0, 1e12])
def test_calls_from_several_threads(enough: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "ENOUGH", enough)
    monkeypatch.setenv(threads.THREADS, "2")
    function, truth = _functions()
    function(**_arguments(0, 9, 6))
    found: dict[int, Result] = {}

    def run(seed: int) -> None:
        for _ in range(5):
            found[seed] = function(**_arguments(seed, 9, 6))

    workers = [threading.Thread(target=run, args=(seed,)) for seed in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for seed in range(6):
        _same(found[seed], truth(**_arguments(seed, 9, 6)), 1e-11)


def test_a_failure_in_a_thread_is_raised() -> None:
    def fail(piece: int, _: int) -> None:
        if piece == 3:
            raise RuntimeError("piece 3")

    team = threads.Team()
    for _ in range(2):
        with pytest.raises(RuntimeError, match="piece 3"):
            team.run(fail, list(range(6)), 2)
    seen: list[int] = []
    team.run(lambda piece, _: seen.append(piece), list(range(6)), 2)
    assert sorted(seen) == list(range(6))


CHILD = """
import os, sys, warnings
import numpy as np
import bptt
from numeric.native import layout
warnings.simplefilter("ignore")
layout.ENOUGH = 0
function = bptt.compile(bptt.cell("rnn"), "compiled")
given = ({"W": np.eye(3) / 2, "U": np.eye(3), "b": np.zeros(3)}, {"x": np.ones((9, 6, 3))}, None, {"h": np.ones((9, 6, 3))})
right = function(*given).gradients["W"]
child = os.fork()
if child == 0:
    os._exit(0 if np.allclose(function(*given).gradients["W"], right) else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_child_process_has_threads_of_its_own() -> None:
    environment = {**os.environ, threads.THREADS: "2"}
    subprocess.run([sys.executable, "-c", CHILD], check=True, timeout=100, env=environment)


# -- the folder --------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BPTT_CACHE_DIR", str(tmp_path / "kept"))
    monkeypatch.delenv(target.NO_CACHE, raising=False)
    return tmp_path / "kept"


def test_machine_code_is_kept_and_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    function, truth = _functions()
    _same(function(**_arguments(0, 6, 3)), truth(**_arguments(0, 6, 3)))
    assert len(list(folder.iterdir())) == 2
    monkeypatch.setattr(target.binding, "parse_assembly", _only_empty(target.binding.parse_assembly))
    again, _ = _functions()
    _same(again(**_arguments(0, 6, 3)), truth(**_arguments(0, 6, 3)))


def _only_empty(real):  # type: ignore[no-untyped-def]
    def parse(text: str):  # type: ignore[no-untyped-def]
        assert not text, "compiled although it was kept"
        return real(text)

    return parse


@pytest.mark.parametrize("damage", [b"", b"no code at all", None])
def test_damaged_files_are_made_anew(folder: Path, damage: bytes | None) -> None:
    function, truth = _functions()
    function(**_arguments(0, 6, 3))
    for file in folder.iterdir():
        file.write_bytes(file.read_bytes()[:-40] + b"x" * 40 if damage is None else damage)
    again, _ = _functions()
    _same(again(**_arguments(0, 6, 3)), truth(**_arguments(0, 6, 3)))


def test_a_folder_that_cannot_be_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BPTT_CACHE_DIR", str(tmp_path / "file" / "kept"))
    monkeypatch.delenv(target.NO_CACHE, raising=False)
    function, truth = _functions()
    _same(function(**_arguments(0, 6, 3)), truth(**_arguments(0, 6, 3)))


def test_nothing_is_kept_where_that_is_wanted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(target.NO_CACHE, "1")
    _functions()[0](**_arguments(0, 6, 3))
    assert not folder.exists()
