"""``bptt grade``."""

from __future__ import annotations

import argparse
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bptt import console
from bptt.checked_options import aliases_of, cell_of
from bptt.jobs import jobs_of
from derive.files import read_text

if TYPE_CHECKING:
    from reports.grading.marking import Marked, Task

TABLE = "grades"
"""What the tables are called, without their endings."""


def run_grade(options: argparse.Namespace) -> int:
    """Mark all files of a folder; 0 if all of them could be checked, whatever the marks are, and 1 if not."""
    from reports.grading.folder import answers_of
    from reports.grading.marking import NOT_REACHED, mark_all
    from reports.output import check_folder, check_targets, folder_of
    from reports.stopping import STOPPED, stoppable

    start = time.perf_counter()
    folder = folder_of(options.output)
    check_folder(folder)
    jobs = jobs_of(options.jobs)
    answers = answers_of(Path(options.folder), folder)
    check_targets(folder, (f"{TABLE}.csv", f"{TABLE}.html"))
    task = _task(options)
    pages = _pages([answer.name for answer in answers])
    with stoppable() as stopped:
        marked = mark_all(answers, task, min(jobs, len(answers)), _kept(pages, folder))
    marked = [_written(one, pages, folder) for one in marked]  # a stop may have come before the last copy was
    _write_tables(marked, folder, f"Marks: {Path(options.folder).resolve().name}")
    reached = sum(one.problem != NOT_REACHED for one in marked)
    if reached < len(marked):
        console.tell(f"bptt: stopped after {reached} of {_files(len(marked))}; what is finished was written")
        return STOPPED + (stopped() or signal.SIGINT)
    console.tell(f"bptt: {_files(len(marked))}, {time.perf_counter() - start:.1f} s")
    return 1 if any(one.problem for one in marked) else 0


def _task(options: argparse.Namespace) -> Task:
    from reports.grading.marking import Task

    return Task(
        "" if options.cell is None else cell_of(options.cell).text.source.text,
        "" if options.require is None else _wanted(options),
        tuple(aliases_of(options.alias)),
        options.inline,
        not options.no_pdf,
        options.route,
        options.hints,
    )


def _wanted(options: argparse.Namespace) -> str:
    """The results that are wanted; read now, so that a mistake in them is known before the work."""
    from verify.names import Names
    from verify.require import read_wanted, wanted_lines

    text = read_text(options.require, limit=1_000_000, expected="results, one a line")
    wanted_lines(text, options.require)
    if options.cell is not None:
        read_wanted(text, Names(cell_of(options.cell)), options.require)
    return text


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"


# -- while the work goes on ----------------------------------------------------------------------------


def _kept(pages: Mapping[str, str], folder: Path) -> Callable[[Marked], Marked]:
    """Writes the annotated copy of a file as soon as it is made, and says how far the work is."""
    count = 0

    def keep(one: Marked) -> Marked:
        nonlocal count
        one = _written(one, pages, folder)
        count += 1
        console.tell(f"bptt: {count} of {len(pages)}: {console.safe(one.name)}: {_summary(one)}")
        return one

    return keep


def _written(one: Marked, pages: Mapping[str, str], folder: Path) -> Marked:
    """A file whose annotated copy is on disk, if there is one."""
    from reports.output import write_files

    if not one.copy:
        return one
    page = pages[one.name]
    write_files(folder, {page: one.copy})
    return replace(one, copy=b"", page=page)


def _summary(one: Marked) -> str:
    """One line about a file, without its marks: those are for its marker."""
    if one.problem:
        return one.problem
    return f"{len(one.equations)} equation{'' if len(one.equations) == 1 else 's'}"


def _write_tables(marked: Sequence[Marked], folder: Path, title: str) -> None:
    from reports.grading.table import as_csv, overview
    from reports.output import write_files
    from reports.render import make

    contents = {f"{TABLE}.csv": as_csv(marked).encode(), **make(overview(marked, title), TABLE, ("html",)).contents}
    write_files(folder, contents)
    console.say("\n".join(console.safe(str(folder / name)) for name in contents))


def _pages(names: Sequence[str]) -> dict[str, str]:
    """Names for the annotated copies that are safe, and each another."""
    from reports.output import asset_stem, same_name

    taken = {same_name(f"{TABLE}.html")}
    found = {}
    for name in names:
        stem = asset_stem(name.rsplit(".", 1)[0].replace("/", "-").replace("\\", "-"))
        page, number = f"{stem}.pdf", 2
        while same_name(page) in taken:
            page, number = f"{stem}-{number}.pdf", number + 1
        taken.add(same_name(page))
        found[name] = page
    return found


__all__ = ["run_grade"]
