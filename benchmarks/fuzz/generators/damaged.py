"""What is hardly a text: pieces in any order, marks without partners, characters."""

from __future__ import annotations

from random import Random

from benchmarks.fuzz.cases import Case
from benchmarks.fuzz.changes import shown
from benchmarks.fuzz.pieces import WORDS, listed
from benchmarks.fuzz.texts import LSTM, RNN


def soup(random: Random) -> Case:
    """Pieces in any order."""
    text = " ".join(random.choice(WORDS) for _ in range(random.choice((3, 8, 20, 60, 400))))
    return Case("", shown(random, text) if random.random() < 0.7 else text, random.choice((RNN, LSTM, None)))


_MARKS = listed(
    r"""
    {  }  (  )  [  ]  \left(  \right)  \left\{  \right.  $  $$  \[  \]  \(  \)  |  \|  \begin{align}  \end{align}  &
    \\  \begin{pmatrix}  \end{pmatrix}  ```  `  %  \verb|  \begin{verbatim}  h_t  =  W  1  +  x  h_t  =  W  1  +
    """
)


def unbalanced(random: Random) -> Case:
    """Brackets, environments and dollars at random."""
    pieces = [random.choice((*_MARKS, "\n", "\n\n")) for _ in range(random.choice((5, 20, 100, 1000)))]
    return Case("", random.choice((" ", "")).join(pieces), RNN)


def noise(random: Random) -> Case:
    """Characters."""
    size = random.choice((0, 1, 2, 10, 100, 5000))
    alphabets = ("\\{}$^_&%#~ \n", "ab=\\${}", "".join(map(chr, range(256))), "=", "\\", "$\n", "h_t=W()+-{}^1\\frac ")
    return Case("", "".join(random.choices(random.choice(alphabets), k=size)), random.choice((RNN, None)))
