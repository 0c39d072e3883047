"""The text, its words and its windows."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from training.data import text8
from training.data.text8 import corpus, read_text8
from training.data.windows import Windows, thinned
from training.errors import DatasetError


@pytest.mark.parametrize("piece", [5, 64, 1 << 22])
def test_words_do_not_depend_on_the_pieces(piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A word longer than a piece as well; the last one may be cut, and counts for nothing."""
    monkeypatch.setattr(text8, "_PIECE", piece)
    rng = random.Random(0)
    words = rng.choices("a bb ccc dddd ee an extraordinarylongword the".split(), k=300)
    found = corpus((" " + " ".join(words) + " the").encode(), 5)
    ranked = sorted(set(words), key=lambda word: (-words.count(word), word))[:5]
    assert [*found.words] == ranked and found.counts.tolist() == [words.count(word) for word in ranked]
    assert [found.words[k] for k in found.numbers] == [word for word in words if word in ranked]
    assert (found.total, found.different) == (300, len(set(words)))


def test_a_shortened_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "text8").write_bytes(b" the cat sat on the m")
    told: list[str] = []
    found = read_text8(tmp_path, 10, told.append)
    assert not found.whole and "m" not in found.words and found.characters == 21
    assert any("is shortened: it holds 21 of 100,000,000 characters" in line for line in told)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"The end", "it holds b'T'"), (b"a b\n", "it holds"), (b"", "no words"), (b"   ", "no words")],
)
def test_a_file_that_is_not_text8(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "text8").write_bytes(content)
    with pytest.raises(DatasetError, match=message):
        read_text8(tmp_path, 10)


def test_length_and_checksum_of_the_whole_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text8, "CHARACTERS", 9)
    (tmp_path / "text8").write_bytes(b" a b a ab")
    with pytest.raises(DatasetError, match="is damaged"):
        read_text8(tmp_path, 10)
    monkeypatch.setattr(text8, "MD5", "07ae3d2d98d7c9bb6b5bf5f0a7ba1c22")
    with pytest.raises(DatasetError, match="is damaged"):
        read_text8(tmp_path, 10)
    (tmp_path / "text8").write_bytes(b" a b a aba")
    with pytest.raises(DatasetError, match="it has 10 characters"):
        read_text8(tmp_path, 10)


def test_the_whole_file_keeps_its_last_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import hashlib

    text = b" a b a ab"
    monkeypatch.setattr(text8, "CHARACTERS", len(text))
    monkeypatch.setattr(text8, "MD5", hashlib.md5(text).hexdigest())
    (tmp_path / "text8").write_bytes(text)
    found = read_text8(tmp_path, 10)
    assert found.whole and found.words == ("a", "ab", "b")


def test_windows_are_slices_of_the_text() -> None:
    text = np.random.default_rng(0).integers(0, 50, 40)
    for reach in (1, 2, 5):
        windows = Windows(text, reach)
        centre, context = windows.rows(np.arange(len(windows)))
        for k in range(len(windows)):
            part = text[k : k + 2 * reach + 1].tolist()
            assert centre[k] == part.pop(reach) and context[k].tolist() == part
        assert len(windows) == 40 - 2 * reach
    assert len(Windows(text[:3], 2)) == 0


def test_frequent_words_are_thinned_to_the_share_of_the_paper() -> None:
    counts = np.array([80_000, 15_000, 4_990, 10])
    text = np.random.default_rng(1).permutation(np.repeat(np.arange(4), counts))
    found = thinned(text, counts, 0.01, np.random.default_rng(2))
    left = np.bincount(found, minlength=4)
    wanted = counts * np.minimum(1, np.sqrt(0.01 / (counts / counts.sum())))
    np.testing.assert_allclose(left, wanted, rtol=0.05)
    assert left[3] == 10 and thinned(text, counts, 0.0, np.random.default_rng(2)) is text
