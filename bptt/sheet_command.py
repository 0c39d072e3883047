"""``bptt sheet``."""

from __future__ import annotations

import argparse
import sys
import time

from derive.errors import UsageError


def run_sheet(options: argparse.Namespace) -> int:
    """Build the sheets that were asked for, or list what there is."""
    from reports.sheet import build, find, sheet_ids

    if options.all and options.sheets:
        raise UsageError("--all and names ask for two things", expected="one of them")
    names = list(sheet_ids()) if options.all else options.sheets
    if not names:
        for name in sheet_ids():
            print(name)
        return 0
    for name in names:
        find(name)  # a wrong name stops everything before the first sheet is built
    for number, name in enumerate(names, 1):
        _progress(f"[{number}/{len(names)}] {name}: deriving, measuring and typesetting ...")
        start = time.perf_counter()
        result = build(name, options.output, options.route)
        _progress("")
        for path in result.files.values():
            print(path)
        for warning in result.warnings:
            print(f"bptt: {name}: {warning}", file=sys.stderr)
        print(f"bptt: {name}: {time.perf_counter() - start:.1f} s, PDF by {result.route}", file=sys.stderr)
    return 0


def _progress(text: str) -> None:
    """One line that is overwritten, on a terminal only."""
    if sys.stderr.isatty():
        print(f"\r\x1b[2K{text}", end="", file=sys.stderr, flush=True)
