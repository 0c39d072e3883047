"""Sheets of the package with their answers, built once in a process."""

from __future__ import annotations

from functools import lru_cache

from reports.document import Document
from reports.sheet import document_of, find


@lru_cache(maxsize=8)
def built(sheet: str) -> Document:
    """A sheet by its name; it takes seconds."""
    return document_of(find(sheet), draws=2)
