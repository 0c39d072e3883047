"""Chapters are built once, and again when something has changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from derive.errors import BpttError
from reports.atlas import workshop
from reports.atlas.chapter import Chapter
from reports.atlas.workshop import Subject, chapters

RNN = Subject("one", "h_t = \\tanh(W h_{t-1} + U x_t)", "one.tex")
OTHER = Subject("two", "h_t = \\sigma(W h_{t-1} + b)", "two.tex")


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the chapters that are built, which are empty."""
    names: list[str] = []

    def build(subject: Subject) -> Chapter:
        names.append(subject.name)
        return Chapter(subject.name, subject.name, "", (), 0.0)

    monkeypatch.setattr(workshop, "_build", build)
    return names


def test_an_unchanged_cell_is_not_built_again(built: list[str], tmp_path: Path) -> None:
    first = chapters([RNN, OTHER], 1, tmp_path)
    second = chapters([RNN, OTHER], 1, tmp_path)
    assert built == ["one", "two"] and first == second


def test_a_changed_cell_is(built: list[str], tmp_path: Path) -> None:
    chapters([RNN, OTHER], 1, tmp_path)
    chapters([RNN, Subject("two", OTHER.text + "\n% changed", "two.tex")], 1, tmp_path)
    assert built == ["one", "two", "two"]


def test_all_are_when_the_code_changes(built: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chapters([RNN], 1, tmp_path)
    monkeypatch.setattr(workshop, "_code", lambda: b"another version")
    chapters([RNN], 1, tmp_path)
    assert built == ["one", "one"]


def test_a_broken_file_in_the_cache_is_made_again(built: list[str], tmp_path: Path) -> None:
    chapters([RNN], 1, tmp_path)
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(b"\x80\x04broken")
    chapters([RNN], 1, tmp_path)
    assert built == ["one", "one"]


def test_a_cache_that_cannot_be_written_is_no_error(built: list[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert len(chapters([RNN], 1, tmp_path / "file" / "store")) == 1
    assert built == ["one"]


def test_progress_is_told(built: list[str], tmp_path: Path) -> None:
    told: list[tuple[int, int, str]] = []
    chapters([RNN], 1, tmp_path)
    chapters([RNN, OTHER], 1, tmp_path, lambda *news: told.append(news))
    assert told == [(1, 2, "unchanged cells"), (2, 2, "two")]
    assert built == ["one", "two"]


def test_an_error_names_its_cell_and_the_others_are_kept(tmp_path: Path) -> None:
    bad = Subject("bad", "h_t = \\tanh(W h_t)", "bad.tex")
    with pytest.raises(BpttError) as caught:
        chapters([RNN, bad], 1, tmp_path)
    assert "bad" in str(caught.value)
    assert len(list(tmp_path.iterdir())) == 1


def test_chapters_built_side_by_side_are_the_same(tmp_path: Path) -> None:
    assert chapters([RNN, OTHER], 2, None) == chapters([RNN, OTHER], 1, None)
    assert not list(tmp_path.iterdir())
