"""Marking a class: every file has its row, whatever is wrong with another."""

from __future__ import annotations

import csv
import io
import itertools
import multiprocessing
import os
import time
from pathlib import Path

import pytest

from derive.cell import Cell
from reports import document as d
from reports.grading import marking
from reports.grading.annotated import annotated
from reports.grading.marking import Answer, Marked, Task, mark, mark_all
from reports.grading.table import as_csv, overview
from reports.render import make
from reports.walk import plain_text
from verify.check import checked

CELL = "h_t = \\sigma(W h_{t-1} + U x_t + b)"
RIGHT = "$$\\frac{\\partial h_t}{\\partial h_{t-1}} = \\operatorname{diag}(\\sigma'(z_t)) W$$"
WRONG = "$$\\nabla_W L = \\sum_{t=1}^T \\delta_t h_t^\\top$$"
WANTED = "2 \\frac{\\partial h_t}{\\partial h_{t-1}} # the Jacobian\n3 \\nabla_W L\n"


def answers(folder: Path, **files: str | bytes) -> list[Answer]:
    found = []
    for name, content in files.items():
        path = folder / f"{name}.tex"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        found.append(Answer(path.name, str(path)))
    return found


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_bad_file_stops_no_other(tmp_path: Path, jobs: int) -> None:
    files = answers(tmp_path, alice=RIGHT + WRONG, bob=b"\xff\x00", carl="", dora="$$\\nonsense$$", eve=RIGHT)
    files.append(Answer("gone.tex", str(tmp_path / "gone.tex")))
    told: list[str] = []

    def finished(one: Marked) -> Marked:
        told.append(one.name)
        return one

    marked = mark_all(files, Task(CELL, WANTED, pdf=False), jobs, finished)
    assert [one.name for one in marked] == [file.name for file in files]
    assert [one.points for one in marked] == [2, 0, 0, 0, 2, 0]
    assert [bool(one.problem) for one in marked] == [False, True, True, False, False, True]
    assert sorted(told) == sorted(file.name for file in files)


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_is_finished_when_it_is_stopped_is_kept(tmp_path: Path, jobs: int) -> None:
    files = answers(tmp_path, alice=RIGHT, bob=RIGHT, carl=RIGHT)
    count = 0

    def stop(one: Marked) -> Marked:
        nonlocal count
        count += 1
        if count == 2:
            raise KeyboardInterrupt
        return one

    marked = mark_all(files, Task(CELL, WANTED, pdf=False), jobs, stop)
    assert sorted(one.problem for one in marked) == ["", "", marking.NOT_REACHED]
    assert not multiprocessing.active_children()


def test_a_file_has_its_name_once_in_its_row(tmp_path: Path) -> None:
    files = answers(tmp_path, empty="")
    (tmp_path / "broken.ipynb").write_text("{")
    files.append(Answer("broken.ipynb", str(tmp_path / "broken.ipynb")))
    files.append(Answer("gone.tex", str(tmp_path / "gone.tex")))
    for one in mark_all(files, Task(CELL, pdf=False), 1):
        assert one.problem.startswith("it is ") and one.name not in one.problem


def test_a_file_without_equations_was_not_checked(tmp_path: Path) -> None:
    files = answers(tmp_path, words="\\begin{document} Only $h_t$. \\end{document}")
    (marked,) = mark_all(files, Task(CELL, route="typst"), 1)
    assert "no displayed equation" in marked.problem and "--inline" in marked.problem and marked.copy
    (marked,) = mark_all(files, Task(CELL, inline=True, pdf=False), 1)
    assert not marked.problem


def test_the_table(tmp_path: Path) -> None:
    marked = mark_all(answers(tmp_path, alice=RIGHT + WRONG, bob=""), Task(CELL, WANTED, pdf=False), 1)
    rows = list(csv.DictReader(io.StringIO(as_csv(marked))))
    assert rows[0] | {"problem": ""} == {
        "file": "alice.tex", "equations": "2", "correct": "1", "layout": "0", "wrong": "1", "unreadable": "0", "unsupported": "0",
        "the Jacobian": "2", "\\nabla_W L": "0", "points": "2", "of": "5", "contradictions": "", "problem": "",
    }  # fmt: skip
    assert "is empty" in rows[1]["problem"] and rows[1]["points"] == "0"
    (table,) = [block for block in overview(marked, "Marks").blocks if isinstance(block, d.Table)]
    header = [
        "file",
        "equations",
        "right",
        "wrong",
        "not read or decided",
        "the Jacobian",
        "∇_W L",
        "points",
        "remarks",
    ]
    assert [plain_text(cell) for cell in table.header] == header
    assert [plain_text(cell) for cell in table.rows[0]] == ["alice.tex", "2", "1", "1", "0", "2", "0", "2 of 5", ""]
    assert [plain_text(cell) for cell in table.rows[1]][-2:] == ["0 of 5", "it is empty"]


def test_contradictions_are_in_the_table_and_in_the_copy(tmp_path: Path) -> None:
    guesses = RIGHT + RIGHT.replace("W$$", "U$$") + RIGHT.replace("W$$", "W^\\top$$")
    (marked,) = mark_all(answers(tmp_path, alice=guesses), Task(CELL, WANTED, pdf=False), 1)
    assert marked.points == 2
    (row,) = csv.DictReader(io.StringIO(as_csv([marked])))
    assert row["contradictions"] == "the Jacobian: 3 answers, 1 right"
    (table,) = overview([marked], "Marks").blocks
    assert isinstance(table, d.Table)
    assert (
        plain_text(table.rows[0][-1]) == "* the Jacobian: 3 answers, 1 right" and plain_text(table.rows[0][5]) == "2*"
    )
    marks, note, *_ = annotated("alice", marked.equations, marked.results).blocks
    assert isinstance(marks, d.Table) and plain_text(marks.rows[0][1]) == "right; 3 answers, 1 right"
    assert isinstance(note, d.Callout) and "contradict" in plain_text(note.title)


def test_meanings_that_nobody_gave_are_told(tmp_path: Path) -> None:
    said = "Let $$\\delta_t = \\nabla_{z_t} L.$$"
    plain, given, none = mark_all(answers(tmp_path, a=WRONG, b=said + WRONG, c=RIGHT), Task(CELL, pdf=False), 1)
    assert (plain.usual, given.usual, none.usual) == (("\\delta_t = \\nabla_{z_t} L",), (), ())
    assert "usual meaning" in str(make(overview([plain, given], "class"), "x", ("html",)).contents["x.html"])
    assert "usual meaning" not in str(make(overview([given, none], "class"), "x", ("html",)).contents["x.html"])
    copy = annotated(plain.name, plain.equations, usual=plain.usual)
    assert "usual meaning" in str(make(copy, "x", ("html",)).contents["x.html"])


@pytest.mark.parametrize("name", ["=1+1.tex", "@x.tex", "+a.tex"])
def test_no_cell_is_a_formula_of_a_spreadsheet(name: str) -> None:
    assert as_csv([Marked(name)]).splitlines()[1].startswith("'")


def test_a_file_that_takes_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marking, "SECONDS", 1)
    monkeypatch.setattr(marking, "_mark", lambda *_: time.sleep(30))
    start = time.perf_counter()
    assert "more than 1 s" in mark(Answer("a", "a"), Task()).problem
    assert time.perf_counter() - start < 10


def test_a_fault_in_one_file_is_told_in_its_row(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> Marked:
        raise KeyError("x")

    monkeypatch.setattr(marking, "_mark", fail)
    assert mark(Answer("a", "a"), Task()).problem.startswith("a fault of bptt: KeyError")


def test_a_process_that_dies_takes_no_other_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = answers(tmp_path, alice=RIGHT, bob=RIGHT, carl=RIGHT)
    task = Task(CELL, WANTED, pdf=False)
    killer = tmp_path / "bob.tex"
    monkeypatch.setattr(marking, "mark", _Deadly(str(killer)))
    found = mark_all(files, task, 2)
    assert [one.points for one in found] == [2, 0, 2]
    assert "died" in found[1].problem


class _Deadly:
    """Marks files, and ends its process at one of them."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __call__(self, answer: Answer, task: Task) -> Marked:
        if answer.path == self.path:
            os._exit(1)
        return mark(answer, task)


# -- annotated copies ----------------------------------------------------------------------------------


def said_of(text: str, hints: int) -> list[str]:
    """What a copy says of the only equation of a text, beside its verdict and itself."""
    (block,) = annotated("alice.tex", checked(text, Cell.from_text(CELL)).equations, hints=hints).blocks
    assert isinstance(block, d.Callout)
    assert plain_text(block.title) == "line 1: wrong"
    found = []
    for one in block.blocks[1:]:
        if isinstance(one, d.Paragraph):
            found += [part for part in plain_text(one.body).split(". ") if part]
        else:
            found.append("a formula")
    return [part.rstrip(".") for part in found]


def test_verdicts_stand_beside_the_formulas() -> None:
    document = annotated("alice.tex", checked(RIGHT + "\n" + WRONG, Cell.from_text(CELL)).equations)
    titles = [plain_text(block.title) for block in document.blocks if isinstance(block, d.Callout)]
    assert titles == ["line 1: right (proved)", "line 2: wrong"]


def test_a_copy_tells_as_much_as_the_hints_allow() -> None:
    steps = [said_of(WRONG, hints) for hints in range(5)]
    assert steps[0] == [] and len(steps[1]) == 1 and steps[1][0].startswith("Look at line 1, column 38: ")
    for fewer, more in itertools.pairwise(steps):
        assert set(fewer) < set(more)
    assert "It is about a time" in steps[2] and "h[t-1] belongs where h[t] stands" in steps[3]
    assert "What holds:" in steps[4] and "What holds:" not in steps[3]


def test_unreadable_names_of_files_are_told_in_words() -> None:
    assert plain_text(annotated("carl \U0001f600\ufe0f.tex", ()).title) == "carl (grinning face).tex"


@pytest.mark.parametrize(
    "text",
    [
        "$$h_t = \\input{/etc/passwd}$$", "$$\\write18{touch x} = 1$$", "$$\\csname input\\endcsname = 1$$", "$$h_t = \\end{document} W$$",
        "$$h_t = ^^5cinput W$$", "$$\\text{\\input{x}} = 1$$", "\\def\\x{\\write18{id}}$$\\x = 1$$", "$$h_t = \\verb|\\input{x}|$$",
        "$$h_t = \\begin{lstlisting}\\end{lstlisting}\\input{x}$$", "$$h_t \\label{\\input{x}} = W x_t$$",
    ],
)  # fmt: skip
def test_no_command_of_an_author_reaches_tex(text: str) -> None:
    """What could not be read is shown as text, in which nothing is a command."""
    equations = checked(text, Cell.from_text(CELL)).equations
    source = make(annotated("x", equations), "x", ("tex",)).contents["x.tex"].decode()
    body = source[source.index("\\begin{document}") :]
    for command in ("\\input{", "\\write18", "\\csname", "^^5c"):
        outside = body
        for start in ("\\begin{lstlisting}", "\\begin{Verbatim}", "\\begin{verbatim}"):
            while start in outside:
                end = outside.find(start.replace("begin", "end"), outside.index(start))
                assert end > 0
                outside = outside[: outside.index(start)] + outside[end + len(start) :]
        assert command not in outside, outside
