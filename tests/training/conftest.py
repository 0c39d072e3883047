"""Made data, and one thread as the tasks have it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def names_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for ``--data`` with made names."""
    from made_names import write_names

    return write_names(tmp_path_factory.mktemp("names"))


@pytest.fixture(scope="session")
def images_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for ``--data`` with made pictures."""
    from made_images import write_images

    return write_images(tmp_path_factory.mktemp("images"))


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
