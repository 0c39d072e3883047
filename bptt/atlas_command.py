"""``bptt atlas``."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bptt.console import safe, say, tell
from bptt.jobs import jobs_of
from bptt.progress import Progress
from derive.cell import Cell, cell, library
from derive.errors import UsageError
from derive.files import is_file_name

if TYPE_CHECKING:
    from reports.atlas.workshop import Subject

NAME = "recurrent-gradient-atlas"
"""What the files are called, without their endings."""


def run_atlas(options: argparse.Namespace) -> int:
    """Build the book of the library's cells, or of those that are named."""
    from reports.atlas.book import book
    from reports.atlas.workshop import chapters, default_store
    from reports.formats import FORMATS, check
    from reports.output import check_folder, check_targets, folder_of, write_files
    from reports.render import make

    start = time.perf_counter()
    folder = folder_of(options.output)
    check(NAME, FORMATS, options.route)
    check_folder(folder)
    check_targets(folder, (f"{NAME}.{ending}" for ending in FORMATS))
    subjects = _subjects(options.cells)
    jobs = jobs_of(options.jobs)
    with Progress() as progress:
        progress.say(f"0 of {len(subjects)} cells")
        found = chapters(
            subjects,
            jobs,
            None if options.fresh else default_store(),
            lambda done, total, name: progress.say(f"{_bar(done, total)} {done} of {total} cells, {name}"),
        )
        progress.say("typesetting")
        rendered = make(book(found), NAME, route=options.route)
        write_files(folder, rendered.contents)
    result = rendered.written_to(folder, NAME)
    say("\n".join(safe(str(path)) for path in result.files.values() if path.stem == NAME))
    for warning in result.warnings:
        tell(f"bptt: warning: {warning}")
    tell(f"bptt: {len(found)} {'cell' if len(found) == 1 else 'cells'}, {time.perf_counter() - start:.1f} s")
    return 0


def _bar(done: int, total: int, width: int = 20) -> str:
    filled = width * done // max(1, total)
    return f"[{'#' * filled}{'.' * (width - filled)}]"


def _subjects(names: list[str]) -> list[Subject]:
    """The cells by their texts, all of them read before the work begins.

    Raises
    ------
    UsageError : a name is given twice.
    """
    from reports.atlas.workshop import Subject

    subjects: dict[str, Subject] = {}
    for given in names or library():
        found: Cell = cell(given)
        name = given if given in library() else _anchor(given)
        if name in subjects:
            raise UsageError(f"{given!r} is given twice", expected="each cell once")
        source = found.text.source
        subjects[name] = Subject(name, source.text, source.name)
    return list(subjects.values())


def _anchor(given: str) -> str:
    """A name for a cell that is no library cell: its file's, or a number made of its text."""
    from reports.anchors import slug
    from reports.output import asset_stem

    return slug(Path(given).stem if is_file_name(given) else asset_stem(given))
