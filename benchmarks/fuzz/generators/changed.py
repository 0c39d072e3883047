"""What is right, with a few changes: documents, equations, characters, commands."""

from __future__ import annotations

from random import Random

from benchmarks.fuzz.cases import Case
from benchmarks.fuzz.changes import mutated, retold, shown
from benchmarks.fuzz.pieces import COMMANDS, UNICODE
from benchmarks.fuzz.texts import DOCUMENTS, LSTM, RNN, TRUE


def changed_document(random: Random) -> Case:
    """A document with a few changes."""
    cell, text = random.choice(DOCUMENTS)
    name = "x.ipynb" if text.startswith("{") and random.random() < 0.5 else "<text>"
    own = random.random() < 0.1
    return Case("", mutated(random, text, 3 if len(text) < 200 else 6), None if own else cell, name)


def changed_truth(random: Random) -> Case:
    """A true equation with one or two changes."""
    cell, text = random.choice(TRUE)
    return Case("", shown(random, mutated(random, text, 2)), cell)


def retold_truth(random: Random) -> Case:
    """A true equation with one or two other signs."""
    cell, text = random.choice(TRUE)
    return Case("", shown(random, retold(random, text)), cell)


def unicode(random: Random) -> Case:
    """Characters of all kinds in all places."""
    text = random.choice([text for _, text in (*TRUE, *DOCUMENTS)])
    for _ in range(random.randint(1, 6)):
        place = random.randint(0, len(text))
        any_one = chr(random.choice((random.randrange(0x300), random.randrange(0x10FFFF))))
        text = text[:place] + (random.choice(UNICODE) if random.random() < 0.7 else any_one) + text[place:]
    return Case("", shown(random, text) if random.random() < 0.5 else text, random.choice((RNN, LSTM)))


def commands(random: Random) -> Case:
    """Commands of TeX around and within formulas."""
    pieces = [random.choice(COMMANDS) for _ in range(random.randint(1, 3))]
    cell, true = random.choice(TRUE)
    if random.random() < 0.5:
        place = random.randint(0, len(true))
        return Case("", shown(random, true[:place] + " ".join(pieces) + true[place:]), cell)
    return Case("", " ".join(pieces) + "\n" + shown(random, true) + random.choice(pieces), cell)
