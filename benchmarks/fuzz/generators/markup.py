"""What formulas stand in: macros, Markdown, notebooks."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from random import Random
from typing import Any

from benchmarks.fuzz.cases import Case
from benchmarks.fuzz.changes import mutated, page
from benchmarks.fuzz.pieces import listed
from benchmarks.fuzz.texts import LSTM, RNN, TRUE

_MACROS = listed(
    r"""
    \newcommand{NAME}[COUNT]{BODY}  \newcommand{NAME}{BODY}  \newcommand*NAME[COUNT][h_t]{BODY}
    \renewcommand{NAME}{BODY}  \def NAME#1{BODY}  \def NAME{BODY}  \def NAME#1#2#3#4#5#6#7#8#9{BODY}
    \DeclareMathOperator{NAME}{BODY}  \def NAME  \providecommand{NAME}[COUNT]{BODY}  \newcommand{NAME}
    \newcommand{NAME}[COUNT  \let NAME=\b  %\def NAME{BODY}  \newcommand NAME BODY
    \begin{verbatim}\def NAME{BODY}\end{verbatim}  {\def NAME{BODY}}
    """
)


def macros(random: Random) -> Case:
    """Macros that use themselves or each other, grow, hide, or change what signs mean."""
    names = listed("\\a  \\b  \\cc  \\W  \\pd  \\top  \\frac  \\sum  \\h")
    inside = (*names, *listed("#1  #2  #9  #  ##  {  }  W  h_t  =  %  \\newcommand{\\a}{1}  $  \\\\"), "")
    lines = []
    for _ in range(random.randint(1, 8)):
        body = " ".join(random.choice(inside) for _ in range(random.choice((0, 1, 2, 5, 30))))
        body = re.sub("[{}%]", "", body) if random.random() < 0.7 else body
        form = random.choice(_MACROS).replace("NAME", random.choice(names))
        lines.append(form.replace("COUNT", random.choice("0012390")).replace("BODY", body))
    if random.random() < 0.3:  # 10^10 copies
        lines.append("\\def\\xa{h_t}")
        lines += [f"\\def\\x{after}{{{f'{chr(92)}x{name} ' * 10}}}" for name, after in pairwise("abcdefghijk")]
    words = (*names, *listed("\\xk  h_t  {1}  {h_t}  W  =  +  [2]"))
    uses = [" ".join(random.choice(words) for _ in range(random.randint(1, 8))) for _ in range(random.randint(1, 3))]
    return Case("", "\n".join(lines) + page(random, [f"h_t = {use}" for use in uses]), random.choice((RNN, LSTM)))


_MARKDOWN = listed(
    "```  ```math  ~~~  ````  ```latex  `  ``  >  -  1.  #  | a |  |---|  ***  <!--  -->  \\  $  $$  [x](y)"
)


def markdown(random: Random) -> Case:
    """Fences, code, lists and quotes."""
    lines = []
    for _ in range(random.choice((3, 8, 30))):
        true, mark = random.choice(TRUE[:8])[1], random.choice((*_MARKDOWN, "    ", "\t"))
        lines.append(
            random.choice((mark, mark + true, f"{mark} {true}", true, f"$${true}$$", f"${true}$", "", "words"))
        )
    text = random.choice(("\n", "\n\n", "\r\n")).join(lines)
    return Case("", text, RNN, random.choice(("a.md", "<text>", "b.tex")))


_ODD: tuple[Any, ...] = (None, True, 0, -1, 1.5, "", "x", [], {}, [[]], ["$$1=1$$"], "$$1=2$$", {"source": 1}, 10**30)
_NO_BOOKS = listed(
    """
    []  null  3  "x"  {  NaN  {"cells": [[]]}  {"cells": {}}  {"cells": "markdown"}  {"cells": [], "cells": 3}
    {"cells": [{}]}  {"cells": [{"cell_type": "markdown", "source": NaN}]}
    {"cells": [{"cell_type": "markdown", "source": {"$$1=2$$": 1}}]}
    {"cells": [{"cell_type": "markdown", "source": 1e999}]}
    {"cells": [{"cell_type": "markdown", "source": ["a", null]}]}
    {"cells": [{"cell_type": "markdown", "source": "\\ud800$$1=2$$\\u0000"}]}
    {"metadata": 1, "cells": [{"cell_type": "markdown"}]}
    """
)


def notebooks(random: Random) -> Case:
    """Notebooks that are damaged, or JSON of another kind."""
    odd = (*_ODD, "\ud800", "\x00", [None], [1], {"a": {"b": []}})
    sources = ("$$h_t = 1$$", ["$$h_t", " = ", "h_t$$"], *odd)
    book: Any = {
        "cells": [
            {"cell_type": random.choice(("markdown", "code", "raw", None, 3)), "source": random.choice(sources)}
            for _ in range(random.randint(0, 4))
        ],
        "metadata": random.choice(odd),
        "nbformat": random.choice(odd),
    }
    if random.random() < 0.4:
        book[random.choice(("cells", "metadata"))] = random.choice((*odd, [random.choice(odd) for _ in range(3)]))
    text = json.dumps(book, ensure_ascii=random.random() < 0.5)
    kind = random.randrange(8)
    if kind == 0:
        text = mutated(random, text, 4)
    elif kind == 1:
        depth, opening = random.choice((100, 2000, 200_000)), random.choice(("[]", '{"a":  }')).split("  ")[0]
        text = f'{{"cells": {opening[:-1] * depth}{opening[-1] * random.choice((0, depth))}}}'
    elif kind == 2:
        long = random.choice(
            ("9" * 5000, json.dumps("$$" * 999), '{"a":' * 990 + "1" + "}" * 990, json.dumps(["$$1=1$$"] * 3000))
        )
        text = f'{{"cells": [{{"cell_type": "markdown", "source": {long}}}]}}'
    elif kind == 3:
        text = random.choice((*_NO_BOOKS, "", "9" * 5000, "\ufeff{}"))
    return Case("", text, RNN, "book.ipynb" if random.random() < 0.7 else "<text>")
