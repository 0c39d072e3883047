"""Film reviews: ``train`` and ``test``, each with ``pos`` and ``neg``, one file a review."""

from __future__ import annotations

from pathlib import Path

from training.data.download import Say
from training.data.plain_text import utf8
from training.data.reviews import Reviews
from training.data.source import Source
from training.errors import DatasetError

SOURCE = Source(
    name="imdb",
    url="https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
    checksum="md5:7c2ac02c03563afcf9b574c7e56c153a",
    megabytes=84.1,
    layouts=("aclImdb", "."),
    marks=("train/pos", "train/neg", "test/pos", "test/neg"),
    only="aclImdb/t",  # train and test, without the unlabelled bags of words beside them
    terms="for research; cite Maas et al. 2011, Learning word vectors for sentiment analysis",
)


def read_reviews(folder: Path, part: str, say: Say = lambda text: None) -> Reviews:
    """The labelled reviews of ``train`` or ``test``, in the order of their files' names.

    Raises
    ------
    DatasetError : a folder is empty, or a file cannot be read.
    """
    texts: list[str] = []
    positive: list[int] = []
    for kind, label in (("neg", 0), ("pos", 1)):
        home = folder / part / kind
        files = sorted(home.glob("*.txt"))
        if not files:
            raise DatasetError(f"{home} holds no reviews", expected="files such as 0_9.txt")
        for number, path in enumerate(files):
            if number % 1000 == 0:
                say(f"reading {part}/{kind}: {number:,} of {len(files):,} reviews")
            texts.append(utf8(path, "a review in UTF-8"))
        positive += [label] * len(files)
    return Reviews(texts, positive)


__all__ = ["SOURCE", "read_reviews"]
