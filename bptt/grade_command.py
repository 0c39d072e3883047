"""``bptt grade``."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bptt import console
from bptt.progress import Progress
from derive.cell import cell
from derive.errors import UsageError
from derive.files import read_text

if TYPE_CHECKING:
    from reports.grading.marking import Answer, Marked

ENDINGS = (".tex", ".md", ".ipynb", ".txt")
"""Files that are marked."""
MOST_FILES = 5_000
TABLE = "grades"
"""What the tables are called, without their endings."""


def run_grade(options: argparse.Namespace) -> int:
    """Mark all files of a folder; 0 when the tables are written, whatever the marks are."""

    from reports.grading.marking import Task, cores, mark_all
    from reports.grading.table import as_csv, overview
    from reports.output import check_folder, check_targets, folder_of, write_files
    from reports.render import make

    start = time.perf_counter()
    folder = folder_of(options.output)
    check_folder(folder)
    answers = _answers(Path(options.folder), folder)
    check_targets(folder, (f"{TABLE}.csv", f"{TABLE}.html"))
    task = Task(
        "" if options.cell is None else cell(options.cell).text.source.text,
        "" if options.require is None else _wanted(options),
        tuple(options.alias),
        options.inline,
        not options.no_pdf,
        options.route,
    )
    jobs = options.jobs or cores()
    if jobs < 1:
        raise UsageError(f"--jobs is {options.jobs}", expected="a number from 1 on")
    with Progress() as progress:
        progress.say(f"0 of {len(answers)} files")
        marked = mark_all(
            answers,
            task,
            min(jobs, len(answers)),
            lambda done, total, name: progress.say(f"{done} of {total} files, {name}"),
        )
        named = _with_pages(marked)
        contents = {one.page: one.copy for one in named if one.copy}
        contents[f"{TABLE}.csv"] = as_csv(named).encode()
        title = f"Marks: {Path(options.folder).resolve().name}"
        contents |= make(overview(named, title), TABLE, ("html",)).contents
        write_files(folder, contents)
    console.say("\n".join(str(folder / name) for name in (f"{TABLE}.csv", f"{TABLE}.html")))
    for one in named:
        if one.problem:
            console.tell(f"bptt: {one.name}: {one.problem}")
    console.tell(f"bptt: {len(named)} files, {time.perf_counter() - start:.1f} s")
    return 0


def _wanted(options: argparse.Namespace) -> str:
    """The results that are wanted; read now, so that a mistake in them is known before the work."""
    from verify.names import Names
    from verify.require import read_wanted

    text = read_text(options.require, limit=1_000_000, expected="results, one a line")
    if options.cell is not None:
        read_wanted(text, Names(cell(options.cell)), options.require)
    return text


def _answers(folder: Path, output: Path) -> list[Answer]:
    """The files of a folder and of those within, in the order of their names; what is written there before is left out."""
    from reports.grading.marking import Answer

    if not folder.is_dir():
        raise UsageError(f"{str(folder)!r} is no folder", expected="a folder with the files to be marked")
    found = []
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in inside.parts)
        if path.suffix.lower() in ENDINGS and not hidden and path.is_file() and not path.is_symlink():
            if output.resolve() != folder.resolve() and output.resolve() in path.resolve().parents:
                continue
            found.append(Answer(str(inside), str(path)))
            if len(found) > MOST_FILES:
                raise UsageError(
                    f"{str(folder)!r} holds more than {MOST_FILES:,} files", hint="is this the right folder?"
                )
    if not found:
        raise UsageError(
            f"there is nothing to mark in {str(folder)!r}", expected=f"files ending in {', '.join(ENDINGS)}"
        )
    return found


def _with_pages(marked: list[Marked]) -> list[Marked]:
    """Names for the annotated copies that are safe, and each another."""
    from dataclasses import replace

    from reports.output import asset_stem, same_name

    taken = {same_name(f"{TABLE}.html")}
    named = []
    for one in marked:
        stem = asset_stem(one.name.rsplit(".", 1)[0].replace("/", "-").replace("\\", "-"))
        page, number = f"{stem}.pdf", 2
        while same_name(page) in taken:
            page, number = f"{stem}-{number}.pdf", number + 1
        taken.add(same_name(page))
        named.append(replace(one, page=page) if one.copy else one)
    return named


__all__ = ["run_grade"]
