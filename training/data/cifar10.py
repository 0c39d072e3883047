"""CIFAR-10: 60,000 colour pictures of 32 x 32 points in ten classes, in the layout of the official binary archive.

A record is a byte with the class and 3,072 bytes with the picture: red, then green, then blue, each row by row.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.data.download import Say
from training.data.source import Source
from training.errors import DatasetError

Bytes = npt.NDArray[np.uint8]

SIDE = 32
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
TRAIN = tuple(f"data_batch_{k}.bin" for k in range(1, 6))
TEST = ("test_batch.bin",)
_RECORD = 1 + 3 * SIDE * SIDE

SOURCE = Source(
    name="cifar-10",
    url="https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    checksum="md5:c32a1d4ab5d03f1284b67883e8d87530",
    megabytes=170.1,
    layouts=("cifar-10-batches-bin", "."),
    marks=(*TRAIN, *TEST),
    only="cifar-10-batches-bin/",
    terms="cite Krizhevsky 2009, Learning multiple layers of features from tiny images",
)


@dataclass(frozen=True)
class Images:
    """Pictures (N, 3, 32, 32) and their classes (N,), in the order of the files."""

    pictures: Bytes
    classes: Bytes

    def __len__(self) -> int:
        return len(self.classes)


def read_images(folder: Path, part: str, say: Say = lambda text: None) -> Images:
    """The pictures of ``train`` or ``test``.

    Raises
    ------
    DatasetError : a file cannot be read, is cut, or holds a class that there is not.
    """
    parts = []
    for name in TRAIN if part == "train" else TEST:
        say(f"reading {name}")
        parts.append(_records(folder / name))
    records = np.concatenate(parts)
    return Images(records[:, 1:].reshape(-1, 3, SIDE, SIDE), records[:, 0])


def _records(path: Path) -> Bytes:
    try:
        content = np.fromfile(path, np.uint8)
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror or error}", expected="a file of pictures") from None
    if not content.size or content.size % _RECORD:
        raise DatasetError(
            f"{path} has {content.size:,} bytes and is damaged",
            expected=f"pictures of {_RECORD:,} bytes each; the official file has 10,000 of them",
            hint="unpack the official binary archive again",
        )
    records = content.reshape(-1, _RECORD)
    wrong = np.flatnonzero(records[:, 0] >= len(CLASSES))
    if wrong.size:
        first = int(wrong[0])
        raise DatasetError(
            f"{path} is damaged: picture {first + 1:,} has class {records[first, 0]}",
            expected=f"a class from 0 to {len(CLASSES) - 1}",
            hint="unpack the official binary archive again (the one for C programs)",
        )
    return records


__all__ = ["CLASSES", "SIDE", "SOURCE", "TEST", "TRAIN", "Bytes", "Images", "read_images"]
