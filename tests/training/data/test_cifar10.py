"""Pictures in the layout of the official binary archive."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_images import records, write_images

from training.data.cifar10 import SOURCE, read_images
from training.errors import DatasetError


def test_bytes_are_classes_and_colours_in_order(tmp_path: Path) -> None:
    """Laid out by hand: the first record's red, green and blue, row by row."""
    home = write_images(tmp_path, 2) / "cifar-10-batches-bin"
    picture = np.arange(3072) % 251
    (home / "test_batch.bin").write_bytes(bytes([7, *picture.tolist()]))
    found = read_images(home, "test")
    assert found.classes.tolist() == [7] and found.pictures.shape == (1, 3, 32, 32)
    assert found.pictures[0, 1, 2, 3] == (1024 + 2 * 32 + 3) % 251


def test_training_pictures_are_five_files_in_order(tmp_path: Path) -> None:
    found = read_images(SOURCE.folder(str(write_images(tmp_path, 4))), "train")
    assert len(found) == 20
    assert found.classes.tolist() == [label for k in range(5) for label in records(4, k)[:, 0]]


@pytest.mark.parametrize("content", [b"", b"\x01" * 3072, b"\x01" * 3074])
def test_a_file_that_is_cut(tmp_path: Path, content: bytes) -> None:
    home = write_images(tmp_path, 2) / "cifar-10-batches-bin"
    (home / "data_batch_3.bin").write_bytes(content)
    with pytest.raises(DatasetError, match=f"data_batch_3.bin has {len(content):,} bytes and is damaged") as caught:
        read_images(home, "train")
    assert "3,073 bytes" in str(caught.value)


def test_a_class_that_there_is_not(tmp_path: Path) -> None:
    home = write_images(tmp_path, 3) / "cifar-10-batches-bin"
    content = bytearray((home / "test_batch.bin").read_bytes())
    content[3073] = 10
    (home / "test_batch.bin").write_bytes(content)
    with pytest.raises(DatasetError, match="picture 2 has class 10"):
        read_images(home, "test")


def test_a_file_that_is_missing(tmp_path: Path) -> None:
    home = write_images(tmp_path, 2)
    (home / "cifar-10-batches-bin" / "test_batch.bin").unlink()
    with pytest.raises(DatasetError, match="does not hold the data set"):
        SOURCE.folder(str(home))
