"""Work shared among processes: all of it is done, and no process outlives the one that started it."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reports.workers import each

ROOT = Path(__file__).parents[3]
SLEEPERS = """
import sys, subprocess, os
from reports.workers import each
from tests.reports.test_workers import told_and_asleep
for _ in each(told_and_asleep, sys.argv[1:], 2):
    pass
"""


def square(number: int) -> int:
    if number == 3:
        os._exit(1)
    return number * number


def told_and_asleep(path: str) -> None:
    """A worker with a program of its own, which says who both are."""
    program = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
    Path(path).write_text(f"{os.getpid()} {program.pid} ")
    program.wait()


def is_alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def wait_for(condition: object) -> None:
    until = time.monotonic() + 60
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.parametrize("jobs", [1, 3])
def test_everything_is_done_though_a_process_dies(jobs: int) -> None:
    assert dict(each(square, range(6), jobs)) == {0: 0, 1: 1, 2: 4, 3: None, 4: 16, 5: 25}
    assert not multiprocessing.active_children()


def test_nothing_is_nothing() -> None:
    assert list(each(square, [], 2)) == []


def test_leaving_early_ends_the_processes() -> None:
    with contextlib.closing(each(square, range(100), 2)) as results:
        next(results)
    assert not multiprocessing.active_children()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="it is looked up in /proc which processes there are")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_the_one_that_started_it(tmp_path: Path, number: signal.Signals) -> None:
    files = [tmp_path / "a", tmp_path / "b"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", SLEEPERS, *map(str, files)], env=environment) as process:
        wait_for(lambda: all(file.exists() and file.read_text().endswith(" ") for file in files))
        pids = [int(pid) for file in files for pid in file.read_text().split()]
        assert len(pids) == 4 and all(map(is_alive, pids))
        process.send_signal(number)
    wait_for(lambda: not any(map(is_alive, pids)))
