"""Calls of machine code: shortcuts, threads, memory, and the folder in which it is kept."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import bptt
from numeric.function import Result
from numeric.native import kernel, layout, memory, shared, target, threads, writer
from tests.numeric.calls import D, M, N, compiled, example, plainly, same


def test_memory_does_not_grow_with_the_number_of_lengths() -> None:
    function = compiled()
    for length in range(1, 150):
        function(**example(0, length, 3))
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
    function = compiled()
    for seed in (0, 1):
        same(function(**example(seed, 6, 3)), plainly(**example(seed, 6, 3)))


# -- threads -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("batch", [2, 7, 16, 33])
def test_threads_share_a_batch(batch: int, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "ENOUGH", 0)
    monkeypatch.setenv(threads.THREADS, str(count))
    function = compiled()
    for seed in (0, 1):
        same(function(**example(seed, 9, batch)), plainly(**example(seed, 9, batch)), 1e-11)


@pytest.mark.parametrize("enough", [0, 1e12])
def test_calls_from_several_threads(enough: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "ENOUGH", enough)
    monkeypatch.setenv(threads.THREADS, "2")
    function = compiled()
    function(**example(0, 9, 6))
    found: dict[int, Result] = {}

    def run(seed: int) -> None:
        for _ in range(5):
            found[seed] = function(**example(seed, 9, 6))

    workers = [threading.Thread(target=run, args=(seed,)) for seed in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for seed in range(6):
        same(found[seed], plainly(**example(seed, 9, 6)), 1e-11)


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


ALIVE: list[dict[str, target.Code]] = []
"""Modules that are made later find what is shared by the address that was given last."""


def nothing_shared(monkeypatch: pytest.MonkeyPatch) -> dict[str, target.Code]:
    """As in a new process: what modules share is made, or read, anew."""
    ALIVE.append({})
    monkeypatch.setattr(shared, "_made", ALIVE[-1])
    return ALIVE[-1]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BPTT_CACHE_DIR", str(tmp_path / "kept"))
    monkeypatch.delenv(target.NO_CACHE, raising=False)
    return tmp_path / "kept"


def test_machine_code_is_kept_and_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = nothing_shared(monkeypatch)
    function = compiled()
    same(function(**example(0, 6, 3)), plainly(**example(0, 6, 3)))
    assert made and len(list(folder.iterdir())) == 2 + len(made)
    nothing_shared(monkeypatch)
    monkeypatch.setattr(target.binding, "parse_assembly", _only_empty(target.binding.parse_assembly))
    again = compiled()
    same(again(**example(0, 6, 3)), plainly(**example(0, 6, 3)))


def _only_empty(real):  # type: ignore[no-untyped-def]
    def parse(text: str):  # type: ignore[no-untyped-def]
        assert not text, "compiled although it was kept"
        return real(text)

    return parse


def test_products_are_made_once_in_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    made = nothing_shared(monkeypatch)
    compiled()(**example(0, 6, 3))
    before = dict(made)
    bptt.compile(bptt.cell("h_t = W h_{t-1} + U x_t"), "compiled")(
        {"W": np.eye(N), "U": np.ones((N, D))}, {"x": np.ones((2, D))}
    )
    assert before and made == before


def test_texts_do_not_depend_on_the_order_of_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sets of names have another order in every process, and what is kept is found by its text."""
    texts: list[str] = []

    class Listed(target.Code):
        def __init__(self, text: str) -> None:
            texts.append(text)
            super().__init__(text)

    monkeypatch.setattr(kernel, "Code", Listed)
    read = writer.read
    for turned in (False, True):
        monkeypatch.setattr(
            writer, "read", lambda operation, turned=turned: sorted(read(operation), key=str, reverse=turned)
        )
        subject = bptt.cell("h_t = a \\odot h_{t-1} \\odot x_t, h_t \\in \\mathbb{R}^n")
        bptt.compile(subject, "compiled")({"a": np.ones(N)}, {"x": np.ones((4, N))}, cotangents={"h": np.ones((4, N))})
    assert len(texts) == 4 and texts[:2] == texts[2:]


@pytest.mark.parametrize("damage", [b"", b"no code at all", None])
def test_damaged_files_are_made_anew(folder: Path, damage: bytes | None, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing_shared(monkeypatch)
    function = compiled()
    function(**example(0, 6, 3))
    for file in folder.iterdir():
        file.write_bytes(file.read_bytes()[:-40] + b"x" * 40 if damage is None else damage)
    nothing_shared(monkeypatch)
    again = compiled()
    same(again(**example(0, 6, 3)), plainly(**example(0, 6, 3)))


def test_a_folder_that_cannot_be_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BPTT_CACHE_DIR", str(tmp_path / "file" / "kept"))
    monkeypatch.delenv(target.NO_CACHE, raising=False)
    function = compiled()
    same(function(**example(0, 6, 3)), plainly(**example(0, 6, 3)))


def test_a_user_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    for name in ("BPTT_CACHE_DIR", "XDG_CACHE_HOME", target.NO_CACHE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    function = compiled()
    same(function(**example(0, 6, 3)), plainly(**example(0, 6, 3)))


def test_nothing_is_kept_where_that_is_wanted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(target.NO_CACHE, "1")
    compiled()(**example(0, 6, 3))
    assert not folder.exists()
