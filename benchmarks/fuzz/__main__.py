"""The command line: ``python -m benchmarks.fuzz``."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

import benchmarks.fuzz
from benchmarks.fuzz.cases import FATAL
from benchmarks.fuzz.report import Tally, report
from benchmarks.fuzz.shortest import shortest
from benchmarks.fuzz.workers import Plan, outcomes, work


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print, and say whether all went well."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.fuzz",
        description=benchmarks.fuzz.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--inputs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="the number of the first input")
    parser.add_argument("--seconds-each", type=float, default=10.0)
    parser.add_argument("--jobs", type=int, default=1, help="so many processes side by side")
    parser.add_argument("--reading", action="store_true", help="read smaller documents only, and judge nothing")
    parser.add_argument("--show", type=int, nargs="*", default=[], metavar="NUMBER", help="print these inputs instead")
    parser.add_argument(
        "--shorten",
        type=int,
        nargs="*",
        default=[],
        metavar="NUMBER",
        help="print the shortest inputs that end as these do",
    )
    parser.add_argument("--worker", type=int, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    plan = Plan(options.seed, options.seconds_each, options.reading)
    if options.worker:
        first, last = options.worker
        work(plan, first, last, lambda line: print(line, flush=True))
        return 0
    for number in options.show:
        print(f"#{number} {plan.case(number).literal(1_000_000)}")
    for number in options.shorten:
        given, outcome = shortest(plan, number)
        print(f"#{number} {outcome.end}  {outcome.detail}\n    {given.literal(1_000_000)}", flush=True)
    if options.show or options.shorten:
        return 0
    return 1 if _run(plan, options.first, options.first + options.inputs, options.jobs).faults else 0


def _run(plan: Plan, first: int, last: int, jobs: int) -> Tally:
    """Try all, with a word on each that ends as none may, and print the tables."""
    start, tally = time.perf_counter(), Tally()
    for number, outcome in outcomes(plan, first, last, jobs):
        tally.add(number, outcome)
        if outcome.end in FATAL:
            print(f"#{number} {outcome.end} {outcome.seconds:.1f} s  {outcome.detail}", flush=True)
            print(f"    {plan.case(number).literal()}", flush=True)
    for line in report(tally, plan, time.perf_counter() - start):
        print(line)
    return tally


if __name__ == "__main__":
    sys.exit(main())
