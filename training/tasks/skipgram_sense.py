"""What word vectors know: neighbours, analogies, kinds of words, and a picture of them.

Vectors are compared by their cosine. An analogy a : b = c : ? is answered by the word, other than a, b and c, whose vector is nearest to
b - a + c of the unit vectors (Mikolov, Yih, Zweig 2013). Since a, b and c are left out, the nearest neighbour of c alone is often right, as
Linzen 2016 remarked, so the share of questions that it answers stands beside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from training.arrays.gradient import Array
from training.run.results import Cell, Points, Results, Table
from training.tasks.skipgram_words import ANALOGIES, GROUPS, SHOWN

_NEIGHBOURS = 6
_FIRST = 5


class Vectors:
    """Words with their vectors, brought to unit length.

    >>> vectors = Vectors(("a", "b", "c"), np.array([[1.0, 0.0], [3.0, 4.0], [0.0, 2.0]]))
    >>> [(word, round(cosine, 2)) for word, cosine in vectors.nearest("a", 2)]
    [('b', 0.6), ('c', 0.0)]
    """

    def __init__(self, words: Sequence[str], rows: Array) -> None:
        self.words = words
        self.number = {word: k for k, word in enumerate(words)}
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        self.unit = rows / np.where(lengths > 0, lengths, 1)

    def nearest(self, word: str, count: int) -> list[tuple[str, float]]:
        """The other words with the largest cosines."""
        cosines = self.unit @ self.unit[self.number[word]]
        cosines[self.number[word]] = -np.inf
        return [(self.words[k], float(cosines[k])) for k in np.argsort(-cosines, kind="stable")[:count]]

    def known(self, words: Sequence[str]) -> list[str]:
        """Those of them that are in the vocabulary."""
        return [word for word in words if word in self.number]


@dataclass(frozen=True)
class Answered:
    """Questions of one relation: how many there are, how many have all words in the vocabulary, and how many of these are answered.

    Parameters
    ----------
    right    : by the nearest word.
    first    : by one of the five nearest words.
    baseline : by the word nearest to c alone.
    """

    questions: int
    asked: int
    right: int
    first: int
    baseline: int


def answered(vectors: Vectors, pairs: Sequence[tuple[str, str]]) -> Answered:
    """All questions a : b = c : d of two different pairs (a, b) and (c, d) without a common word.

    >>> rows = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 2.0], [-1.0, 0.0]])
    >>> answered(Vectors(("a", "b", "c", "d", "e"), rows), [("a", "b"), ("c", "d"), ("c", "x")])
    Answered(questions=4, asked=2, right=2, first=2, baseline=2)
    """
    questions = [(*one, *two) for one, two in permutations(pairs, 2) if not {*one} & {*two}]
    asked = np.array([[vectors.number[w] for w in q] for q in questions if all(w in vectors.number for w in q)])
    if not len(asked):
        return Answered(len(questions), 0, 0, 0, 0)
    a, b, c = asked.T[:3]
    aims = vectors.unit[b] - vectors.unit[a] + vectors.unit[c]
    ranks, plain = (_ranks(vectors.unit, aim, asked) for aim in (aims, vectors.unit[c]))
    counts = (int((found < most).sum()) for found, most in ((ranks, 1), (ranks, _FIRST), (plain, 1)))
    return Answered(len(questions), len(asked), *counts)


def _ranks(unit: Array, aims: Array, asked: np.ndarray[tuple[int, int], np.dtype[np.int64]]) -> Array:
    """How many words other than a, b, c are nearer to the aim than d."""
    found = np.empty(len(aims))
    for start in range(0, len(aims), 256):
        part = slice(start, start + 256)
        cosines = aims[part] @ unit.T
        rows = np.arange(len(cosines))
        wanted = cosines[rows, asked[part, 3]]
        for column in asked[part, :3].T:
            cosines[rows, column] = -np.inf
        found[part] = (cosines > wanted[:, None]).sum(axis=1)
    return found


def of_their_kind(vectors: Vectors, groups: Mapping[str, Sequence[str]]) -> dict[str, tuple[int, int, float]]:
    """Of each group: words in the vocabulary, those whose nearest word of all groups is of theirs, and how many that would be by chance."""
    words = [(group, word) for group, members in groups.items() for word in vectors.known(members)]
    unit = vectors.unit[[vectors.number[word] for _, word in words]]
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, -np.inf)
    nearest = cosines.argmax(axis=1) if len(words) > 1 else np.zeros(len(words), int)
    found = {}
    for group in groups:
        own = [k for k, (of, _) in enumerate(words) if of == group]
        same = sum(words[nearest[k]][0] == group for k in own) if len(words) > 1 else 0
        found[group] = len(own), same, len(own) * (len(own) - 1) / max(1, len(words) - 1)
    return found


def plane(rows: Array) -> tuple[Array, float]:
    """The two principal components of rows (k, n), as (k, 2), and the share of the variance that they hold.

    The directions are the first right singular vectors of the centred rows; the sign is such that the largest entry is positive.

    >>> points, share = plane(np.array([[0.0, 1.0, 5.0], [2.0, 1.0, 5.0], [4.0, 1.0, 5.0]]))
    >>> points.round(3).tolist(), round(share, 3)
    ([[-2.0, 0.0], [0.0, 0.0], [2.0, 0.0]], 1.0)
    """
    centred = rows - rows.mean(axis=0)
    _, values, directions = np.linalg.svd(centred, full_matrices=False)
    axes = directions[:2] * np.sign(directions[:2][np.arange(2), np.abs(directions[:2]).argmax(axis=1)])[:, None]
    return centred @ axes.T, float((values[:2] ** 2).sum() / max((values**2).sum(), 1e-30))


def sense(vectors: Vectors) -> Results:
    """Numbers, tables and a picture."""
    by_relation = {name: answered(vectors, pairs) for name, pairs in ANALOGIES.items()}
    kinds = of_their_kind(vectors, GROUPS)
    asked, questions = (sum(getattr(one, key) for one in by_relation.values()) for key in ("asked", "questions"))
    right, first, baseline = (
        sum(getattr(one, key) for one in by_relation.values()) / max(1, asked) for key in ("right", "first", "baseline")
    )
    words, same, chance = (sum(one[k] for one in kinds.values()) for k in range(3))
    numbers = {
        "analogies right": right,
        "analogies right among the first five": first,
        "analogies right by the neighbour of c alone": baseline,
        "analogies with all words in the vocabulary": asked / questions,
        "nearest listed word of the same kind": same / max(1, words),
    }
    points, drawn = _picture(vectors)
    said = [
        f"Of {questions:,} analogies {asked / questions:.0%} have all four words in the vocabulary; {right:.1%} of these are answered "
        f"rightly, {first:.1%} among the first five words. The nearest neighbour of the third word alone is right in {baseline:.1%}, "
        f"a word drawn at random in {1 / max(1, len(vectors.words) - 3):.2%}.",
        f"Of {words} words of {len(kinds)} kinds, the nearest of the others is of the same kind for {same / max(1, words):.0%}; "
        f"by chance it would be for {chance / max(1, words):.0%}.",
    ]
    tables = (_neighbours(vectors), _analogies(by_relation), _kinds(kinds))
    return Results(
        numbers,
        tables,
        said=said + drawn,
        points=points,
        key=("analogies right", "nearest listed word of the same kind"),
    )


def _neighbours(vectors: Vectors) -> Table:
    rows = [
        [word, ", ".join(f"{near} {cosine:.2f}" for near, cosine in vectors.nearest(word, _NEIGHBOURS))]
        for word in vectors.known(SHOWN)
    ]
    return Table("Nearest neighbours by cosine", ("word", "neighbours"), rows)


def _analogies(found: Mapping[str, Answered]) -> Table:
    rows: list[list[Cell]] = [
        [
            name,
            one.questions,
            one.asked,
            *(round(k / max(1, one.asked), 4) for k in (one.right, one.first, one.baseline)),
        ]
        for name, one in found.items()
    ]
    note = (
        "a : b = c : ?, answered by the word nearest to b - a + c; asked: with all four words in the vocabulary; "
        "the last three columns are shares of these."
    )
    columns = ("relation", "questions", "asked", "right", "among five", "neighbour of c")
    return Table("Analogies", columns, rows, note)


def _kinds(found: Mapping[str, tuple[int, int, float]]) -> Table:
    rows: list[list[Cell]] = [
        [name, words, same / max(1, words), chance / max(1, words)] for name, (words, same, chance) in found.items()
    ]
    return Table(
        "Words whose nearest listed word is of the same kind", ("kind", "words", "same kind", "by chance"), rows
    )


def _picture(vectors: Vectors) -> tuple[list[Points], list[str]]:
    groups = {group: vectors.known(words) for group, words in GROUPS.items()}
    listed = [word for words in groups.values() for word in words]
    if len(listed) < 3:
        return [], []
    points, share = plane(vectors.unit[[vectors.number[word] for word in listed]])
    place = dict(zip(listed, points.tolist(), strict=True))
    drawn = {group: [(*place[word], word) for word in words] for group, words in groups.items() if words}
    said = f"The two principal components of these words hold {share:.0%} of the variance of their unit vectors."
    return [
        Points(
            "Words in the plane of their two principal components", "first component", "second component", drawn, said
        )
    ], [said]


__all__ = ["Answered", "Vectors", "answered", "of_their_kind", "plane", "sense"]
