"""What is handed in: a line for each test picture, in their order, as ``id,label``; ids begin with 1, labels are names of classes."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from derive.errors import clipped
from training.errors import DatasetError

HEADER = ("id", "label")


def written(labels: Sequence[int], classes: Sequence[str]) -> str:
    """The file.

    >>> written([1, 0], ("cat", "dog"))
    'id,label\\n1,dog\\n2,cat\\n'
    """
    return "\n".join([",".join(HEADER), *(f"{k + 1},{classes[label]}" for k, label in enumerate(labels))]) + "\n"


def read(path: Path, classes: Sequence[str], count: int) -> list[int]:
    """The labels of a file, in the order of the ids, whatever the order of its lines.

    Raises
    ------
    DatasetError : it cannot be read, lacks a picture, has one twice, or names a class that there is not.
    """
    numbers = {name: k for k, name in enumerate(classes)}
    found: dict[int, int] = {}
    for line, row in _rows(path):
        if len(row) != len(HEADER) or not _is_id(row[0].strip(), count):
            raise _wrong(path, line, row, f"an id from 1 to {count:,} and a label")
        label = row[1].strip()
        if label not in numbers:
            raise _wrong(path, line, row, f"one of {', '.join(classes)}")
        if int(row[0]) in found:
            raise _wrong(path, line, row, "each id once")
        found[int(row[0])] = numbers[label]
    if len(found) < count:
        first = next(k for k in range(1, count + 1) if k not in found)
        raise DatasetError(
            f"{path} has labels for {len(found):,} pictures; the first that is missing is {first:,}",
            expected=f"{count:,} lines below the header id,label",
        )
    return [found[k + 1] for k in range(count)]


def _is_id(text: str, count: int) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 20 and 1 <= int(text) <= count


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [(k, row) for k, row in enumerate(csv.reader(file), 1) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        said = error.strerror if isinstance(error, OSError) else error
        raise DatasetError(f"{path} cannot be read: {said}", expected="a CSV file with the header id,label") from None
    if not rows or tuple(cell.strip() for cell in rows[0][1]) != HEADER:
        raise DatasetError(f"{path} has not the header id,label", expected="id,label as its first line")
    return rows[1:]


def _wrong(path: Path, line: int, row: Sequence[str], expected: str) -> DatasetError:
    return DatasetError(f"{path}, line {line}: {clipped(','.join(row), 60)!r}", expected=expected)


__all__ = ["HEADER", "read", "written"]
