"""Processes that try inputs, and are replaced now and then, and where one dies or stands still."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from queue import SimpleQueue

from benchmarks.fuzz.cases import Case, Outcome
from benchmarks.fuzz.mix import case, short_case
from benchmarks.fuzz.watch import ROOT

LIFE, LIFE_OF_A_READER = 1_000, 20_000
"""So many inputs are tried by one process."""


@dataclass(frozen=True)
class Plan:
    """Which inputs are tried, and how.

    Parameters
    ----------
    seed    : of all of them.
    seconds : how long one may take.
    reading : whether they are read only.
    """

    seed: int
    seconds: float = 10.0
    reading: bool = False

    def case(self, number: int) -> Case:
        """An input."""
        return short_case(self.seed, number) if self.reading else case(self.seed, number)

    @property
    def patience(self) -> float:
        """How long a worker may say nothing."""
        return 4 * self.seconds + 300

    def options(self) -> list[str]:
        """It for the command line of a worker."""
        return [f"--seed={self.seed}", f"--seconds-each={self.seconds}", *(["--reading"] if self.reading else [])]


def outcomes(plan: Plan, first: int, last: int, jobs: int = 1) -> Iterator[tuple[int, Outcome]]:
    """How each input ends, by several processes side by side."""
    life = LIFE_OF_A_READER if plan.reading else LIFE
    found: SimpleQueue[tuple[int, Outcome] | None] = SimpleQueue()

    def try_all(block: range) -> None:
        try:
            for one in _block(plan, block):
                found.put(one)
        finally:
            found.put(None)

    blocks = [range(start, min(start + life, last)) for start in range(first, last, life)]
    with ThreadPoolExecutor(jobs) as pool:
        running = [pool.submit(try_all, block) for block in blocks]
        waiting = len(blocks)
        while waiting:
            one = found.get()
            if one is None:
                waiting -= 1
            else:
                yield one
        for each in running:
            each.result()


def _block(plan: Plan, numbers: range) -> Iterator[tuple[int, Outcome]]:
    """The same by one process, and others in its place."""
    number = numbers.start
    while number < numbers.stop:
        command = [sys.executable, "-m", "benchmarks.fuzz", "--worker", str(number), str(numbers.stop), *plan.options()]
        worker = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        for line in _lines(worker, plan.patience):
            yield number, Outcome(**json.loads(line))
            number += 1
        if number < numbers.stop:
            end = "stuck" if worker.poll() is None else "died"
            worker.kill()
            yield number, Outcome(end, plan.patience, f"exit status {worker.poll()}", kind=plan.case(number).kind)
            number += 1
        worker.kill()
        worker.wait()


def _lines(worker: subprocess.Popen[bytes], patience: float) -> Iterator[str]:
    """What a worker says, until it ends or says nothing for too long."""
    assert worker.stdout is not None
    rest = b""
    while select.select([worker.stdout], [], [], patience)[0]:
        chunk = os.read(worker.stdout.fileno(), 1 << 16)
        if not chunk:
            worker.wait()
            return
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (line.decode() for line in lines)


def work(plan: Plan, first: int, last: int, say: Callable[[str], None]) -> None:
    """In a worker: one line after each input. What is true is looked at again after inputs that took long, and at the end."""
    import bptt
    from benchmarks.fuzz.attempt import attempt
    from benchmarks.fuzz.impossible import unsound
    from benchmarks.fuzz.reading import read
    from benchmarks.fuzz.texts import RNN

    os.environ["BPTT_TRACEBACK"] = "1"
    bptt.check("$$1 = 1$$", bptt.cell(RNN))
    for number in range(first, last):
        given = plan.case(number)
        outcome = read(given, plan.seconds) if plan.reading else attempt(given, plan.seconds)
        if outcome.seconds > plan.seconds / 3 or number == last - 1:
            fault = unsound()
            outcome = replace(outcome, end="impossible", detail=f"{fault} ({outcome.end})") if fault else outcome
        say(json.dumps(asdict(replace(outcome, kind=given.kind))))
