"""Reviews of Amazon by domain (FDU-MTL), and single sentences of reviews (Kotzias et al. 2015).

The archive of FDU-MTL holds ``DOMAIN.task.train`` and ``DOMAIN.task.test``, a review a line: ``0`` or ``1``, a tab, and the text, tokenised
in the manner of the Penn Treebank (``did n't``). Two of its sixteen domains, ``MR`` and ``imdb``, are film reviews of other origin and are
left out. A table ``amazon14.csv`` with the columns ``domain,split,label,text`` holds the same.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from training.data.download import Say
from training.data.plain_text import text_bytes
from training.data.reviews import Parted, Review, Reviews, parted, reviews_of
from training.data.source import Source
from training.errors import DatasetError

SOURCE = Source(
    name="fdu-mtl",
    # A copy: that of the authors (http://pfliu.com/paper/adv-mtl.html) is not served by HTTPS. It is counted when it is there.
    url="https://github.com/FrankWork/fudan_mtl_reviews/raw/master/data/fudan-mtl-dataset.tar.gz",
    checksum=None,
    megabytes=None,
    layouts=("mtl-dataset", "fudan-mtl-dataset", "."),
    marks=("apparel.task.train", "apparel.task.test"),
    only="mtl-dataset/",
    terms="for research; cite Liu, Qiu, Huang 2017, Adversarial multi-task learning for text classification",
    instead="amazon14.csv",
)
PUBLISHED = 27_780
"""Labelled reviews of the fourteen domains: table 1 of the paper, training and development parts together."""
SENTENCES = Source(
    name="sentences",
    url="https://archive.ics.uci.edu/static/public/331/sentiment+labelled+sentences.zip",
    checksum=None,
    megabytes=0.1,
    layouts=("sentiment labelled sentences", "."),
    marks=("amazon_cells_labelled.txt", "imdb_labelled.txt", "yelp_labelled.txt"),
    only="sentiment labelled sentences/",
    terms="cite Kotzias et al. 2015, From group to individual labels using deep features",
)
_OTHERS = ("MR", "imdb")
_COLUMNS = ("domain", "split", "label", "text")
_LINE = "0 or 1, a tab, and the text"
_SENTENCE_LINE = "a sentence, a tab, and 0 or 1"


def read_amazon(data: str | None, say: Say = lambda text: None) -> Parted:
    """The reviews of a folder that the user names, or of the archive, no text twice.

    Raises
    ------
    DatasetError : they cannot be had, or a line is none of a review; it is told which.
    """
    table = None if data is None else Path(data) / SOURCE.instead
    if table is not None and table.is_file():
        say(f"reading {table.name}")
        rows = list(_table(table))
        parts = [[one for split, one in rows if split == part] for part in ("train", "test")]
    else:
        folder = SOURCE.folder(data, say)
        say(f"reading {folder.name}")
        parts = [list(_tasks(folder, part)) for part in ("train", "test")]
    train, test = parts
    if not train or not test:
        raise DatasetError(f"there are {len(train)} reviews to train with and {len(test)} to test with")
    if data is None and len(train) + len(test) != PUBLISHED:
        raise DatasetError(
            f"what came from {SOURCE.url} holds {len(train) + len(test):,} reviews",
            expected=f"{PUBLISHED:,}, as published",
            hint="unpack the archive of http://pfliu.com/paper/adv-mtl.html and name its folder with --data DIR",
        )
    found = parted(train, test)
    for part, reviews in (("train", found.train), ("test", found.test)):
        if len(set(reviews.positive)) < 2:
            kind = (
                ("praise alone" if reviews.positive[0] else "blame alone")
                if reviews.positive
                else "no text of their own"
            )
            raise DatasetError(
                f"the reviews of {part} hold {kind}",
                expected="praise and blame (1 and 0) in both parts, no text in both",
            )
    return found


def read_sentences(data: str | None, say: Say = lambda text: None) -> Reviews | None:
    """The sentences of Amazon, IMDb and Yelp; None where the user names a folder without them.

    Raises
    ------
    DatasetError : they cannot be had, or a line is none of a sentence.
    """
    folder = SENTENCES.folder(None, say) if data is None else SENTENCES.below(Path(data))
    if folder is None:
        return None
    return reviews_of(one for mark in SENTENCES.marks for one in _sentences(folder / mark))


def _table(path: Path) -> Iterator[tuple[str, Review]]:
    """(train or test, review) of each row."""
    reader = csv.reader((f"{line}\n" for line in _decoded(path)), strict=True)
    try:
        header = next(reader, [])
        if header != [*_COLUMNS]:
            raise _damaged(path, 1, f"the columns are {','.join(header)[:80]!r}", ",".join(_COLUMNS))
        for row in reader:
            if not row:
                continue
            if len(row) != len(_COLUMNS):
                raise _damaged(path, reader.line_num, f"there are {len(row)} cells", f"{len(_COLUMNS)} of them")
            domain, split, label, text = row
            if split not in ("train", "test"):
                raise _damaged(path, reader.line_num, f"the split is {split[:40]!r}", "train or test")
            yield split, Review(domain, _label(label, path, reader.line_num, "0 or 1 in the column label"), text)
    except csv.Error as error:
        raise _damaged(path, reader.line_num, str(error), f"a table with {','.join(_COLUMNS)}") from None


def _tasks(folder: Path, part: str) -> Iterator[Review]:
    """The reviews of ``train`` or ``test`` of all domains."""
    ends = {kind: f".task.{kind}" for kind in ("train", "test")}
    found = {
        kind: {path.name.removesuffix(end) for path in folder.glob(f"*{end}")} - {*_OTHERS}
        for kind, end in ends.items()
    }
    for domain in sorted(found["train"] ^ found["test"]):
        raise DatasetError(f"{folder} holds one part of {domain} alone", expected=" and ".join(ends.values()))
    for domain in sorted(found[part]):
        path = folder / f"{domain}{ends[part]}"
        for number, line in _lines(path):
            label, tab, text = line.partition("\t")
            if not tab:
                raise _damaged(path, number, f"there is no tab in {line[:40]!r}", _LINE)
            yield Review(domain, _label(label, path, number, _LINE), text)


def _sentences(path: Path) -> Iterator[Review]:
    """The sentences of a file, all of one domain."""
    domain = path.name.partition("_")[0]
    for number, line in _lines(path):
        text, tab, label = line.rpartition("\t")
        if not tab:
            raise _damaged(path, number, f"there is no tab in {line[:40]!r}", _SENTENCE_LINE)
        yield Review(domain, _label(label.strip(), path, number, _SENTENCE_LINE), text.strip())


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Numbers and texts of the lines that are not empty."""
    return ((number, line) for number, line in enumerate(_decoded(path), 1) if line.strip())


def _decoded(path: Path) -> list[str]:
    """All lines; one that is not UTF-8 is read as Latin-1, as some of the archive are.

    Line feeds alone part them: a text may hold what Python takes for other ends of lines.
    """
    return [_text(line.removesuffix(b"\r")) for line in text_bytes(path, "text").split(b"\n")]


def _text(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")


def _label(label: str, path: Path, number: int, expected: str) -> int:
    if label not in ("0", "1"):
        raise _damaged(path, number, f"the label is {label[:40]!r}", expected)
    return int(label)


def _damaged(path: Path, number: int, found: str, expected: str) -> DatasetError:
    return DatasetError(
        f"{path}, line {number}: {found}",
        expected=expected,
        hint="is the file whole? unpack the official archive again",
    )


__all__ = ["PUBLISHED", "SENTENCES", "SOURCE", "read_amazon", "read_sentences"]
