"""``bptt sheet`` with code: refused without ``--run``, and notebooks only where they are asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from bptt.cli import main

SHEET = "# A sheet\n\n```bptt code\nexpect: 42\n---\nprint(6 * 7)\n```\n"


def test_code_of_a_users_file_needs_a_word(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet, out = tmp_path / "mine.md", tmp_path / "out"
    sheet.write_text(SHEET)
    assert main(["sheet", str(sheet), "-o", str(out), "--notebook"]) == 2
    said = capsys.readouterr().err
    assert "mine.md, line 3, column 1: this sheet holds code, which would be run" in said and "--run" in said
    assert "```bptt code" in said and not out.exists()


def test_notebooks_are_made_on_demand(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet, out = tmp_path / "mine.md", tmp_path / "out"
    sheet.write_text(SHEET)
    assert main(["sheet", str(sheet), "-o", str(out), "--run", "--route", "typst"]) == 0
    assert {path.suffix for path in out.iterdir()} == {".tex", ".pdf", ".html"}
    assert main(["sheet", str(sheet), "-o", str(out), "--run", "--route", "typst", "--notebook"]) == 0
    assert {path.name for path in out.iterdir()} > {"mine.ipynb", "mine-student.ipynb"}
    assert str(out / "mine-student.ipynb") in capsys.readouterr().out


def test_an_error_of_code_is_told_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet = tmp_path / "mine.md"
    sheet.write_text(SHEET.replace("6 * 7", "6 * y"))
    assert main(["sheet", str(sheet), "-o", str(tmp_path / "out"), "--run"]) == 2
    said = capsys.readouterr().err
    assert "line 6, column 1: the code raises NameError: name 'y' is not defined" in said
    assert "    print(6 * y)\n    ^^^^^^^^^^^^\n" in said and not (tmp_path / "out").exists()


def test_two_sheets_with_one_notebook_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a.md", "a-student.md"):
        (tmp_path / name).write_text("Text.")
    names = [str(tmp_path / name) for name in ("a.md", "a-student.md")]
    assert main(["sheet", *names, "-o", str(tmp_path / "out"), "--notebook", "--route", "typst"]) == 2
    assert "would both be written to a-student.ipynb" in capsys.readouterr().err
