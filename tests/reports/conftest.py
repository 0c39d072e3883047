"""What the tests of the reports share: a document with every kind of block, and the one place where tests that need TeX
are skipped.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from derive.notation import surface as s
from derive.notation.parser import parse_one
from reports import document as d
from reports.code.executed import Executed, Printed, Raised
from reports.drawing import Arrow, Canvas, MathLabel, Node, Polyline, Region, TextLabel, connect
from reports.plot import Plot, Reference, Series
from reports.tex import tex_program


@pytest.fixture
def tex() -> None:
    """Skips a test where no TeX is installed."""
    if tex_program() is None:
        pytest.skip("pdflatex is not installed")


def formula(text: str) -> s.Surface:
    """The surface of one formula."""
    line = parse_one(text)
    return line.items[0] if len(line.items) == 1 else line


def everything(text: str = "words") -> d.Document:
    """A document with every kind of block and inline piece; ``text`` stands wherever content may put text."""
    words = d.words(text)
    inlines = (
        d.Text(text), d.Emphasis(words), d.Strong(words), d.CodeSpan(text), d.Math(formula("h_t")), d.Math(s.Text(text)), d.LineBreak(),
        d.Shade(text, 3), d.Shade(text, 0), d.Shade(text, -2),
        d.Link(words, "https://example.org/a_b?c=1&d=%20#e~f"), d.Link(words, "#first"),
    )  # fmt: skip
    a, b = Node((1, 1), formula("h_1"), filled=True), Node((4, 1), text, shape="box", width=2.0)
    canvas = Canvas(6, 3, (
        Region((0, 0), (6, 3), "muted", text), a, b, connect(a, b, text, shift=0.1, style="dashed", role="backward"),
        Arrow((1, 2), (4, 2), formula(r"\frac{\partial h_2}{\partial h_1}"), bend=0.4, role="forward"), TextLabel((3, 2.7), text),
        TextLabel((3, 0.2), text, anchor="left"), MathLabel((5, 2), formula(r"\sum_{t=1}^{T} L_t")),
        Polyline(((0, 0), (1, 1), (2, 0)), "accent"),
    ))  # fmt: skip
    plot = Plot(
        (Series("line", (0, 1, 2), (1.0, 0.5, 0.25)),),
        "x",
        "$y_t$",
        y_scale="log",
        references=(Reference(0.5, "half"),),
    )
    lines = (
        d.AlignedLine(formula("a_t"), "=", formula(r"W h_{t-1} + \frac{1}{2} b"), words),
        d.AlignedLine(
            None, "<=", formula(" + ".join(f"A_{k} B_{k} C_{k}" for k in range(9))), d.words(f"{text} " * 30)
        ),
    )
    blocks: d.Blocks = (
        d.Heading(1, words, "first"), d.Paragraph(inlines), d.Heading(2, (d.Math(formula("x_t")), d.Text(text)), "second"),
        d.BulletList(((d.Paragraph(words), d.NumberedList(((d.Paragraph(words),),), start=4)), (d.Display(formula("a = b")),))),
        d.NumberedList(((d.Paragraph(words), d.Paragraph(words)),), tight=False), d.Quote((d.Paragraph(words),)),
        d.Table((words, words), ((inlines, words), (words,)), ("left", "right"), words), d.CodeBlock(f"def f(x):\n    {text}\n", "python"),
        d.CodeCell(Executed(f"def f(x):\n    return '{text}'  # {text}", None, (Printed(f"{text}\n"), Raised("ValueError", text))), words),
        d.Display(formula(r"\lVert J \rVert \le \gamma < 1")), d.Aligned(lines), d.Figure(canvas, words, text), d.Figure(plot, words, text),
        *(d.Callout(kind, words if kind == "answer" else (),
        (d.Paragraph(words), d.Display(formula("a = b")))) for kind in d.CALLOUT_KINDS),
        d.Rule(),
    )  # fmt: skip
    return d.Document(words, words, {"author": text, "course": text, "date": "2024", "source": text}, blocks)


@pytest.fixture
def make_everything() -> Callable[..., d.Document]:
    """:func:`everything`."""
    return everything


@pytest.fixture
def read_formula() -> Callable[[str], s.Surface]:
    """:func:`formula`."""
    return formula
