"""Sheets made in several processes are the same sheets, and the first error is the one that is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from derive.errors import BpttError, UsageError
from reports.sheet import build_all

GOOD = "---\ntitle: One\n---\n\nLet $h_t = \\tanh(z_t)$ be the state.\n"
BAD = "Here is $h_t = ($ and no more.\n"


def written(folder: Path, **texts: str) -> list[str]:
    folder.mkdir()
    for name, text in texts.items():
        (folder / f"{name}.md").write_text(text)
    return [str(folder / f"{name}.md") for name in texts]


def test_the_same_files_in_the_same_order(tmp_path: Path) -> None:
    names = written(tmp_path / "in", a=GOOD, b=GOOD.replace("One", "Two"), c=GOOD.replace("state", "value"))
    told: list[str] = []
    one = build_all(names, tmp_path / "one", "typst")
    two = build_all(names, tmp_path / "two", "typst", told.append, jobs=2)
    assert [built.name for built in one] == [built.name for built in two] == names
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == sorted(path.name for path in (tmp_path / "two").iterdir()) and len(files) == 9
    assert all((tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes() for file in files)
    assert told == [f"{done} of 3 sheets" for done in range(4)]


def test_the_first_error_is_told_and_nothing_is_written(tmp_path: Path) -> None:
    names = written(tmp_path / "in", a=GOOD, b=BAD, c="```bptt nothing\n```\n")
    messages = []
    for jobs in (1, 3):
        with pytest.raises(BpttError) as caught:
            build_all(names, tmp_path / "out", "typst", jobs=jobs)
        messages.append(str(caught.value))
    assert messages[0] == messages[1] and "b.md, line 1" in messages[0]
    assert not (tmp_path / "out").exists()


def test_what_is_wrong_with_the_names_is_said_before(tmp_path: Path) -> None:
    names = written(tmp_path / "in", a=GOOD)
    with pytest.raises(UsageError, match="given twice"):
        build_all([*names, *names], tmp_path / "out", jobs=2)
