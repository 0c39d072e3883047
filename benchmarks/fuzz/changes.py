"""Changing texts at random, and putting formulas into a page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random

from benchmarks.fuzz.pieces import COMMANDS, DISPLAYS, NUMBERS, UNICODE, WORDS
from benchmarks.fuzz.texts import DOCUMENTS, TRUE


def shown(random: Random, formula: str) -> str:
    """A formula in one of the displays."""
    left, right = random.choice(DISPLAYS[:-4]) if random.random() < 0.8 else random.choice(DISPLAYS)
    return f"{left}{formula}{right}"


def page(random: Random, formulas: Sequence[str]) -> str:
    """Formulas with words between them."""
    links = ("\n\n", "\n", " and so ", "\n\nLet ", "\n\nwhere ", "\n\n# Part\n\n", "\n% remark\n", " ")
    return "".join(random.choice(links) + shown(random, formula) for formula in formulas)


def mutated(random: Random, text: str, most: int = 6) -> str:
    """A text after a few random changes."""
    for _ in range(random.randint(1, most)):
        a, c = random.randint(0, len(text)), random.randint(0, len(text))
        b = min(len(text), a + random.choice((1, 2, 5, 20, 200)))
        kind = random.randrange(10)
        if kind == 0:
            text = text[:a] + text[b:]
        elif kind == 1:
            text = text[:b] + text[a:b] * random.choice((1, 1, 2, 50)) + text[b:]
        elif kind == 2:
            rest = text[:a] + text[b:]
            text = rest[:c] + text[a:b] + rest[c:]
        elif kind <= 5:
            text = f"{text[:a]} {random.choice(WORDS)} {text[a if kind == 3 else b :]}"
        elif kind == 6:
            other = random.choice([text for _, text in (*DOCUMENTS, *TRUE)])
            start = random.randint(0, len(other))
            text = text[:a] + other[start : start + random.choice((2, 10, 80))] + text[b:]
        elif kind == 7:
            digits = [place for place, char in enumerate(text) if char.isdigit()]
            place = random.choice(digits) if digits else a
            text = text[:place] + random.choice(NUMBERS) + text[place + 1 :]
        elif kind == 8:
            text = text[:a] + random.choice(UNICODE) + text[a if random.random() < 0.7 else b :]
        else:
            text = text[:a] + random.choice(COMMANDS) + text[b:]
    return text


_PIECE = re.compile(r"\\[A-Za-z]+|[A-Za-z]+|\d+|.", re.DOTALL)


def retold(random: Random, text: str) -> str:
    """A formula with one or two of its signs in the place of others, which can mostly still be read."""
    pieces = _PIECE.findall(text)
    for _ in range(random.randint(1, 2)):
        place, other = random.randrange(len(pieces)), random.randrange(len(pieces))
        kind = random.randrange(4)
        if kind == 0:
            pieces[place] = pieces[other]
        elif kind == 1:
            pieces[place], pieces[other] = pieces[other], pieces[place]
        elif kind == 2:
            pieces[place] = random.choice(
                ("h", "W", "t", "k", "T", "1", "0", "2", "+", "-", "\\odot", "\\delta", "^", "x")
            )
        else:
            pieces.insert(place, random.choice((*WORDS[:40], "^\\top", "-", "2 ")))
    return "".join(f"{piece} " if piece.startswith("\\") else piece for piece in pieces)


def other_line_ends(random: Random, text: str) -> str:
    """A text whose lines end in any way."""
    ends = ["\n", "\r\n", "\r", "\n\n", "\n\r", "\u2028", "\x0b"]
    return "".join(random.choice(ends) if char == "\n" else char for char in text)
