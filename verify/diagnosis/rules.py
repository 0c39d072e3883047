"""A small change of a formula, and the rules that make them: one for each slip that people make."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from derive.notation.operations import Pre
from verify.diagnosis.trees import Path
from verify.diagnosis.vocabulary import Vocabulary

PRODUCTS = ("times", "hadamard", "ast", "cdot", "cross")


@dataclass(frozen=True)
class Edit:
    """A change.

    Parameters
    ----------
    cost : how far-fetched it is.
    path : the place of the operation that is changed.
    new  : what stands there then.
    said : what is wrong, in words; ``{old}`` and ``{new}`` stand for what is changed, and ``{what}`` for what ``what`` is.
    what : a part of the formula that the words name.
    kind : which slip it is.
    """

    cost: float
    path: Path
    new: Pre
    said: str
    kind: str
    what: Pre | None = None


Rule = Callable[[Pre, Path, Vocabulary], Iterator[Edit]]
RULES: list[Rule] = []


def rule(made: Rule) -> Rule:
    """A rule looks at one operation and gives what may stand in its place."""
    RULES.append(made)
    return made


def negative(node: Pre) -> Pre:
    """An operation with the other sign."""
    return node.args[0] if node.op == "neg" else Pre("neg", (node,), span=node.span)


__all__ = ["PRODUCTS", "RULES", "Edit", "Rule", "negative", "rule"]
