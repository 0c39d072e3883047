"""Pictures of ten classes that the tests make themselves, in the layout of CIFAR-10's binary archive."""

from __future__ import annotations

from pathlib import Path

import numpy as np

FILES = (*(f"data_batch_{k}.bin" for k in range(1, 6)), "test_batch.bin")


def records(count: int, seed: int) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """Stripes of two directions in five colours, and noise over them; each record is a class and a picture."""
    rng = np.random.default_rng(seed)
    classes = np.arange(count) % 10
    rng.shuffle(classes)
    waves = np.sin(np.arange(32) * 2 * np.pi / 8)
    colours = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1], [1, -1, 0]])
    pictures = np.empty((count, 3, 32, 32))
    for k, label in enumerate(classes):
        stripes = np.broadcast_to(waves[:, None] if label % 2 else waves, (32, 32))
        pictures[k] = 128 + 80 * colours[label // 2][:, None, None] * stripes + rng.normal(0, 25, (3, 32, 32))
    content = np.concatenate([classes[:, None], pictures.reshape(count, -1).clip(0, 255).round()], axis=1)
    return content.astype(np.uint8)


def write_images(folder: Path, each: int = 40) -> Path:
    """``folder`` with six files of ``each`` pictures."""
    home = folder / "cifar-10-batches-bin"
    home.mkdir(parents=True)
    for k, name in enumerate(FILES):
        records(each, k).tofile(home / name)
    return folder
