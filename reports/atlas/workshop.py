"""Building chapters: side by side on the cores there are, and only those that have changed.

A chapter is kept under a key made of the cell's text and of every line of the code that it is built with, so it is built
anew as soon as one of them changes, and never otherwise.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from multiprocessing import get_context
from pathlib import Path

from derive.cell import Cell
from derive.errors import BpttError
from reports.atlas.chapter import Chapter, chapter

_ROOMS = ("derive", "numeric", "verify", "reports")
"""Whose code a chapter depends on."""

Told = Callable[[int, int, str], None]
"""Told how many of how many chapters are done, and the name of the last one."""


@dataclass(frozen=True)
class Subject:
    """A cell by its text; ``name`` is unique in the book, and ``source`` is what errors call its file."""

    name: str
    text: str
    source: str


def chapters(subjects: Sequence[Subject], jobs: int, store: Path | None, told: Told = lambda *_: None) -> list[Chapter]:
    """The chapters in the order of their subjects.

    Parameters
    ----------
    jobs  : how many are built at once.
    store : where finished chapters are kept; none are, without it.

    Raises
    ------
    BpttError : a cell cannot be read, or a derivation does not hold; the other chapters are kept.
    """
    done: dict[str, Chapter] = {}
    for subject in subjects:
        kept = _load(store, subject)
        if kept is not None:
            done[subject.name] = kept
    missing = [subject for subject in subjects if subject.name not in done]
    if len(missing) < len(subjects):
        told(len(done), len(subjects), "unchanged cells")
    for subject, built in _built(missing, min(jobs, len(missing))):
        _keep(store, subject, built)
        done[subject.name] = built
        told(len(done), len(subjects), subject.name)
    return [done[subject.name] for subject in subjects]


def _built(missing: Sequence[Subject], jobs: int) -> Iterator[tuple[Subject, Chapter]]:
    if jobs <= 1:
        yield from ((subject, _build(subject)) for subject in missing)
        return
    # Processes that start afresh, because torch's threads do not survive a fork.
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_single_threaded) as pool:
        waiting: dict[Future[Chapter], Subject] = {pool.submit(_build, subject): subject for subject in missing}
        try:
            for future in as_completed(waiting):
                yield waiting[future], future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _single_threaded() -> None:
    os.environ["OMP_NUM_THREADS"] = "1"
    import torch

    torch.set_num_threads(1)


def _build(subject: Subject) -> Chapter:
    try:
        return chapter(subject.name, Cell.from_text(subject.text, subject.source))
    except BpttError as error:
        if error.span is None or error.span.source.name != subject.source:
            error.message = f"{subject.name}: {error.message}"
        raise


# -- what is kept ----------------------------------------------------------------------------------------


def default_store() -> Path:
    """The folder for finished chapters: ``bptt/atlas`` in the user's cache."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "bptt" / "atlas"


@cache
def _code() -> bytes:
    """A digest of the code that chapters are built with."""
    digest = hashlib.sha256()
    for room in _ROOMS:
        root = Path(str(files(room)))
        for path in sorted(_sources(root)):
            digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return digest.digest()


def _sources(root: Path) -> Iterable[Path]:
    return (path for path in root.rglob("*.py") if "sheets" not in path.parts)


def _place(store: Path, subject: Subject) -> Path:
    key = hashlib.sha256(_code() + f"{subject.name}\0{subject.text}".encode()).hexdigest()
    return store / f"{key}.chapter"


def _load(store: Path | None, subject: Subject) -> Chapter | None:
    if store is None:
        return None
    try:
        found = pickle.loads(_place(store, subject).read_bytes())
    except Exception:  # whatever is wrong with a kept file: it is made again
        return None
    return found if isinstance(found, Chapter) else None


def _keep(store: Path | None, subject: Subject, built: Chapter) -> None:
    """Keep a chapter; a cache that cannot be written is no reason to stop."""
    if store is None:
        return
    try:
        store.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=store, delete=False) as file:
            pickle.dump(built, file)
        Path(file.name).replace(_place(store, subject))
    except OSError:
        return
