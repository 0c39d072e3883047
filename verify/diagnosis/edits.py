"""Every small change of a formula: the rules for slips, tried on one operation after the other."""

from __future__ import annotations

from collections.abc import Iterator

from derive.notation.operations import Pre
from verify.diagnosis import of_factors, of_numbers, of_sums
from verify.diagnosis.of_sums import renamed
from verify.diagnosis.rules import RULES, Edit
from verify.diagnosis.trees import Path
from verify.diagnosis.vocabulary import Vocabulary

_KINDS = (of_factors, of_numbers, of_sums)
"""The modules that hold rules; they enter them as they are imported."""


def edits(path: Path, node: Pre, words: Vocabulary) -> Iterator[Edit]:
    """Every change of one operation."""
    for rule in RULES:
        yield from rule(node, path, words)


__all__ = ["Edit", "edits", "renamed"]
