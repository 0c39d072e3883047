"""Files on disk: all or none, whatever goes wrong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from derive.errors import RenderError, UsageError
from reports.output import check_folder, check_targets, folder_of, write_files

NEW = {"a.tex": b"new a", "b.pdf": b"new b", "c.html": b"new c"}


def snapshot(folder: Path) -> dict[str, bytes | None]:
    return {str(path.relative_to(folder)): None if path.is_dir() else path.read_bytes() for path in folder.rglob("*")}


def test_files_are_written_and_replaced(tmp_path: Path) -> None:
    (tmp_path / "b.pdf").write_text("old")
    write_files(tmp_path, NEW)
    assert snapshot(tmp_path) == NEW


def test_new_files_have_the_usual_permissions(tmp_path: Path) -> None:
    (tmp_path / "usual").write_text("x")
    write_files(tmp_path, NEW)
    assert (tmp_path / "a.tex").stat().st_mode == (tmp_path / "usual").stat().st_mode


@pytest.mark.parametrize("failing", range(6))
def test_a_failing_step_leaves_everything_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    """Each of the three writes and of the three moves fails once."""
    (tmp_path / "b.pdf").write_text("old")
    (tmp_path / "c.html").symlink_to("b.pdf")
    before = snapshot(tmp_path)
    calls = iter(range(6))
    write, move = Path.write_bytes, Path.replace

    def failing_write(path: Path, data: bytes) -> int:
        if next(calls) == failing:
            write(path, data[:2])
            raise OSError(28, "No space left on device")
        return write(path, data)

    def failing_move(path: Path, target: Path) -> Path:
        if next(calls, None) == failing:
            raise OSError(5, "Input/output error")
        return move(path, target)

    monkeypatch.setattr(Path, "write_bytes", failing_write)
    monkeypatch.setattr(Path, "replace", failing_move)
    with pytest.raises(RenderError, match=r"No space left|Input/output"):
        write_files(tmp_path, NEW)
    assert snapshot(tmp_path) == before and (tmp_path / "c.html").is_symlink()
    with pytest.raises(RenderError):
        calls = iter(range(failing, failing + 1))
        write_files(tmp_path / "new" / "folder", NEW)
    assert snapshot(tmp_path) == before


def test_a_stopped_write_leaves_everything_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.tex").write_text("old")
    move = Path.replace

    def stopped(path: Path, target: Path) -> Path:
        if path.name == "c.html":
            raise KeyboardInterrupt
        return move(path, target)

    monkeypatch.setattr(Path, "replace", stopped)
    with pytest.raises(KeyboardInterrupt):
        write_files(tmp_path, NEW)
    assert snapshot(tmp_path) == {"a.tex": b"old"}


def test_without_hard_links_what_was_there_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*arguments: object, **options: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    test_a_stopped_write_leaves_everything_as_it_was(tmp_path, monkeypatch)


@pytest.mark.parametrize("text", ["", "  ", "a\x00b", "a\nb", "a\x1b[2J"])
def test_a_folder_has_a_name(text: str) -> None:
    with pytest.raises(UsageError, match="is not a folder"):
        folder_of(text)


def test_what_is_in_the_way_is_told_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to("loop")
    for name in ("file", "file/below", "dangling", "loop", "x" * 300, "dangling/below"):
        with pytest.raises(RenderError, match="cannot write to"):
            check_folder(tmp_path / name)
    check_folder(tmp_path / "new" / "folder")
    assert not (tmp_path / "new").exists()


def test_targets_that_must_not_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    sheet = tmp_path / "sheet.html"
    sheet.write_text("my work")
    (tmp_path / "link.html").symlink_to("sheet.html")
    for name, message in (
        ("folder", "is a directory"),
        ("pipe", "a device or a pipe"),
        ("sheet.html", "the sheet itself"),
        ("link.html", "the sheet itself"),
    ):
        with pytest.raises(RenderError, match=message):
            check_targets(tmp_path, [name], [sheet])
    check_targets(tmp_path, ["sheet.html", "other"], [])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_protected_files_and_folders_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a.tex").write_text("x")
    (tmp_path / "a.tex").chmod(0o444)
    with pytest.raises(RenderError, match="protected"):
        check_targets(tmp_path, ["a.tex"])
    tmp_path.chmod(0o555)
    with pytest.raises(RenderError, match="you may not write"):
        check_folder(tmp_path)
    tmp_path.chmod(0o755)
