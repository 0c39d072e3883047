"""Calls of machine code: shortcuts, threads, memory, and the folder in which it is kept."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
import threading
import time
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


def test_no_sequence_at_all() -> None:
    function, truth = _functions()
    for _ in range(2):
        _same(function(**_arguments(0, 3, 0)), truth(**_arguments(0, 3, 0)))


@pytest.mark.parametrize("backend", ["numpy", "compiled"])
@pytest.mark.parametrize(
    "loss, length, said",
    [
        ("h_T^\\top h_T", 0, "T is 0, but the cell needs a sequence of 1 "),
        ("h_9^\\top h_9", 8, "T is 8, but the cell needs a sequence of 9 "),
        ("\\sum_{t=1}^{50} h_t^\\top h_t", 49, "T is 49, but the cell needs a sequence of 50 "),
        ("h_{T-5}^\\top h_T", 4, "T is 4, but the cell needs a sequence of 5 "),
    ],
)
def test_times_that_are_not_there(loss: str, length: int, said: str, backend: str) -> None:
    function = bptt.compile(bptt.cell(f"h_t = \\tanh(W h_{{t-1}} + x_t)\nL = {loss}"), backend)
    with pytest.raises(DataError, match=said):
        function({"W": np.eye(2)}, {"x": np.ones((length, 3, 2))})
    assert np.isfinite(function({"W": np.eye(2)}, {"x": np.ones((length + 1, 3, 2))}).loss)


@pytest.mark.parametrize("length", [0, -1, -3, 2.5, float("nan"), "a", 2**63, True])
@pytest.mark.parametrize("backend", ["numpy", "compiled"])
def test_a_length_is_a_positive_integer(backend: str, length: object) -> None:
    function = bptt.compile(bptt.cell("h_t = \\tanh(W h_{t-1} + b)\nL = b^\\top h_T"), backend)
    for _ in range(2):
        with pytest.raises(DataError, match=r"length is .*; expected a positive integer"):
            function({"W": np.eye(3), "b": np.ones(3)}, length=length)
        function({"W": np.eye(3), "b": np.ones(3)}, length=4)


def test_arguments_that_are_no_mappings() -> None:
    function, _ = _functions()
    function(**_arguments(0, 6, 3))
    for group, wrong in (("params", np.ones((2, 2))), ("inputs", "x"), ("params", 5), ("initial_state", [])):
        with pytest.raises(DataError, match=f"{group} are a mapping from names to arrays"):
            function(**{**_arguments(0, 6, 3), group: wrong})


def test_copies_and_pickles() -> None:
    function, truth = _functions()
    function(**_arguments(0, 6, 3))
    for other in (copy.deepcopy(function), pickle.loads(pickle.dumps(function))):
        _same(other(**_arguments(1, 6, 3)), truth(**_arguments(1, 6, 3)))


def test_memory_does_not_grow_with_the_number_of_lengths() -> None:
    function, _ = _functions()
    for length in range(1, 150):
        function(**_arguments(0, length, 3))
    variant = next(iter(function._variants.values()))
    for name in ("forward", "backward"):
        pool = variant.passes.ready(name, 5, 3, {"n": N, "d": D, "m": M}).caller.pool  # type: ignore[attr-defined]
        assert len(pool._free) <= pool._MOST


def test_memory_has_a_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory.Pool, "BUDGET", 1000)
    pool = memory.Pool()
    pieces = [pool.take(size) for size in (400, 500, 300, 2000)]
    for piece in pieces:
        pool.give(piece)
    assert sum(piece.size for piece in pool._free) <= 1000
    pool.give(memory.Memory(700))
    assert pool.take(600).size == 700


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


def test_nobody_leaves_while_others_compute() -> None:
    """An interrupt in the calling thread waits for the workers, and leaves nothing behind for the next call."""
    running: list[int] = []

    def work(piece: int, thread: int) -> None:
        if thread == 0:
            raise KeyboardInterrupt
        running.append(piece)
        time.sleep(0.05)
        running.remove(piece)

    team = threads.Team()
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            team.run(work, list(range(6)), 2)
        assert not running
    seen: list[int] = []
    team.run(lambda piece, _: seen.append(piece), list(range(6)), 2)
    assert sorted(seen) == list(range(6))


def test_a_number_of_threads_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in ("²", "-3", "0", "two", ""):
        monkeypatch.setenv(threads.THREADS, wrong)
        assert threads.most() >= 1


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


def test_a_user_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    for name in ("BPTT_CACHE_DIR", "XDG_CACHE_HOME", target.NO_CACHE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    function, truth = _functions()
    _same(function(**_arguments(0, 6, 3)), truth(**_arguments(0, 6, 3)))


def test_nothing_is_kept_where_that_is_wanted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(target.NO_CACHE, "1")
    _functions()[0](**_arguments(0, 6, 3))
    assert not folder.exists()
