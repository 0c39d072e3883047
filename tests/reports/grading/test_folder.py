"""Which files of a folder are marked, and what is said of the others that look like answers."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from derive.errors import UsageError
from reports.grading.folder import answers_of
from reports.grading.marking import Task, mark


def found(folder: Path) -> dict[str, str]:
    return {answer.name: answer.problem for answer in answers_of(folder, folder / "out")}


def test_what_is_no_file_has_a_row_with_the_reason(tmp_path: Path) -> None:
    folder, outside = tmp_path / "class", tmp_path / "outside"
    (folder / "within.tex").mkdir(parents=True)
    outside.mkdir()
    (folder / "alice.tex").write_text("x")
    (folder / "within.tex" / "bob.md").write_text("x")
    (outside / "secret.tex").write_text("x")
    (folder / "same.tex").symlink_to(folder / "alice.tex")
    (folder / "away.tex").symlink_to(outside / "secret.tex")
    (folder / "nowhere.tex").symlink_to(folder / "not-there")
    (folder / "others").symlink_to(outside)
    os.mkfifo(folder / "pipe.tex")
    link = "it is a link, and links are not followed"
    assert found(folder) == {
        "alice.tex": "",
        "away.tex": link,
        "nowhere.tex": link,
        "others": "it is a link to a folder, and links are not followed",
        "pipe.tex": "it is a pipe, and no file",
        "same.tex": link,
        "within.tex/bob.md": "",
    }
    for answer in answers_of(folder, folder / "out"):
        if answer.problem:
            assert mark(answer, Task()).problem == answer.problem  # and it was not opened


def test_what_is_hidden_or_of_another_kind_or_written_there_is_left_out(tmp_path: Path) -> None:
    for name in ("a.tex", ".b.tex", ".git/c.tex", "d.pdf", "out/e.md", "f/G.TEX"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    assert list(found(tmp_path)) == ["a.tex", "f/G.TEX"]


def test_folders_with_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing to mark"):
        answers_of(tmp_path, tmp_path / "out")
    with pytest.raises(UsageError, match="is no folder"):
        answers_of(tmp_path / "no", tmp_path / "out")
