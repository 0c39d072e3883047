"""Notebooks: valid by the format's own schema, the same bytes every time, and what they show is what running them gives."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from built import built
from nbclient import NotebookClient

from derive.notation.source import Source
from reports import document as d
from reports.blocks import REGISTRY, SheetContext
from reports.code.executed import Executed, Printed
from reports.forms import Form
from reports.markdown import read_markdown
from reports.notebook_writer import answer_notebook, student_notebook
from reports.questions import questions_only
from reports.render import make
from reports.sheet import build

Make = Callable[..., d.Document]

SHEET = """---
title: A sheet with code
author: A. Lecturer
---

## Softmax {#one}

::: question
Write the softmax of $z$; see [the end](#two).
:::

```bptt code
name: softmax
---
import numpy as np

def softmax(z):
    # solution: take off the largest entry
    e = np.exp(z - z.max())
    return e / e.sum()
    # end
```

::: answer
It holds that $\\operatorname{softmax}(z) < 1$, which is secret.

```bptt code
print(
```

$$
a = b
$$
:::

```bptt code
caption: Three numbers.
---
print(softmax(np.array([1.0, 2.0, 3.0])).round(3))
softmax(np.array([1000.0, 0.0]))
```

## The end {#two}

```bptt code
show: no
---
unseen = 1
```

```bptt code
student: no
---
import matplotlib.pyplot as plt
plt.plot([1, 2]);
```

```bptt code
expect-error: yes
---
softmax(None)
```
""".replace("```bptt code\nprint(\n```", "```bptt code\n---\nprint('inside an answer')\n```")


@pytest.fixture(scope="module")
def sheet() -> d.Document:
    with SheetContext(run=True) as context:
        return read_markdown(Source(SHEET, "sheet.md"), REGISTRY, context)


def notebook(content: bytes) -> nbformat.NotebookNode:
    found = nbformat.reads(content.decode(), as_version=4)
    nbformat.validate(found)
    assert found.nbformat == 4 and found.nbformat_minor == 5
    return found


def outputs(found: nbformat.NotebookNode) -> list[list[tuple[str, str]]]:
    """What code printed and came to, without pictures."""
    return [
        [
            (one.output_type, one.get("text") or one.get("ename") or one.get("data", {}).get("text/plain", ""))
            for one in cell.outputs
            if "image/svg+xml" not in one.get("data", {}) and "image/png" not in one.get("data", {})
        ]
        for cell in found.cells
        if cell.cell_type == "code"
    ]


def run_again(found: nbformat.NotebookNode, **options: object) -> nbformat.NotebookNode:
    return NotebookClient(found, timeout=60, kernel_name="python3", **options).execute()


def test_running_the_notebook_gives_what_it_shows(sheet: d.Document) -> None:
    found = notebook(answer_notebook(sheet))
    shown = outputs(found)
    assert shown[2][0] == ("stream", "[0.09  0.245 0.665]\n") and shown[2][1] == ("execute_result", "array([1., 0.])")
    assert shown[5] == [("error", "AttributeError")]
    assert outputs(run_again(found)) == shown


def test_everything_of_the_sheet_is_there(sheet: d.Document) -> None:
    found = notebook(answer_notebook(sheet))
    text = "\n".join(cell.source for cell in found.cells)
    for part in (
        "# A sheet with code", "A. Lecturer", "## Softmax", "> **Question**", "[the end](<#two>)", '<a id="two"></a>', "which is secret",
        r"$\operatorname{softmax}(z) \lt  1$", "> $$a = b$$", "**Listing 1.** Three numbers.",
    ):  # fmt: skip
        assert part in text
    assert "# solution" not in text and "# end" not in text and "TODO" not in text
    (picture,) = [
        one.data for cell in found.cells for one in cell.get("outputs", ()) if "image/svg+xml" in one.get("data", {})
    ]
    assert picture["image/svg+xml"].startswith("<svg")
    assert next(cell.metadata.get("name") for cell in found.cells if cell.cell_type == "code") == "softmax"


def test_code_inside_an_answer_is_a_cell_between_its_parts(sheet: d.Document) -> None:
    cells = [cell.source for cell in notebook(answer_notebook(sheet)).cells]
    place = cells.index("print('inside an answer')")
    assert cells[place - 1].startswith("> **Answer**") and cells[place + 1].startswith("> $$a = b$$")


def test_students_get_questions_and_gaps(sheet: d.Document) -> None:
    found = notebook(student_notebook(questions_only(sheet)))
    text = "\n".join(cell.source for cell in found.cells)
    assert "> **Question**" in text and "# TODO: take off the largest entry" in text and "## The end" in text
    for hidden in ("secret", "e.sum()", "> **Answer**", "a = b", "plt.plot", "unseen", "Three numbers"):
        assert hidden not in text
    assert all(cell.outputs == [] and cell.execution_count is None for cell in found.cells if cell.cell_type == "code")


def test_what_students_get_is_not_called_an_answer_sheet() -> None:
    """Nor does it have headings with nothing below them."""
    front = "---\ntitle: t\nsubtitle: Answer sheet\n---\n"
    source = Source(
        f"{front}## One\n\n::: question\nWhy, as [there](#two) said?\n:::\n\n## Two {{#two}}\n\nFor this reason.\n",
        "s.md",
    )
    with SheetContext() as context:
        document = read_markdown(source, REGISTRY, context, form=Form(variant=3))
    students = questions_only(document)
    assert document.subtitle == d.words("Answer sheet") + d.words(", Variant 3")
    assert students.subtitle == d.words("Questions, Variant 3")
    text = student_notebook(students).decode()
    assert "One" in text and "Two" not in text and "as there said?" in text


def test_a_filter_that_knows_nothing_of_code_gives_no_solution_away(sheet: d.Document) -> None:
    text = student_notebook(sheet).decode()
    assert "e.sum()" not in text and "0.245" not in text and "plt.plot" not in text
    pages = make(questions_only(sheet), "s", ("tex", "html")).contents
    for file in ("s.tex", "s.html"):
        assert b"e.sum()" not in pages[file] and b"0.245" not in pages[file] and b"TODO" in pages[file]


def test_running_the_students_notebook_does_not_give_the_answer(sheet: d.Document) -> None:
    found = run_again(notebook(student_notebook(questions_only(sheet))), allow_errors=True)
    said = [entry for cell in outputs(found) for entry in cell]
    assert ("error", "NotImplementedError") in said and not any("0.245" in text for _, text in said)


def test_a_filled_gap_gives_the_answer(sheet: d.Document) -> None:
    """What students are meant to write, written in the place of the gap."""
    found = notebook(student_notebook(questions_only(sheet)))
    for cell in found.cells:
        cell.source = cell.source.replace("raise NotImplementedError", "e = np.exp(z - z.max()); return e / e.sum()")
    assert ("stream", "[0.09  0.245 0.665]\n") in [entry for cell in outputs(run_again(found)) for entry in cell]


def test_the_same_document_gives_the_same_bytes(sheet: d.Document) -> None:
    with SheetContext(run=True) as context:
        again = read_markdown(Source(SHEET, "sheet.md"), REGISTRY, context)
    assert answer_notebook(sheet) == answer_notebook(again)
    one, other = (make(document, "s", route="typst").contents for document in (sheet, again))
    assert dict(one) == dict(other)


def test_names_of_cells_are_their_places(sheet: d.Document) -> None:
    found = notebook(answer_notebook(sheet))
    assert [cell.id for cell in found.cells] == [f"cell-{k}" for k in range(1, len(found.cells) + 1)]
    assert dict(found.metadata["kernelspec"])["name"] == "python3" and set(found.metadata) == {
        "kernelspec",
        "language_info",
    }


@pytest.mark.parametrize("text", ["words", '$5 & <b>_x_*y* `c` | [z](u) # \\alpha ~ ^ {a} "', "1. - + = $$ !"])
def test_every_kind_of_block_is_valid(make_everything: Make, text: str) -> None:
    document = make_everything(text)
    found = notebook(answer_notebook(document))
    markdown = "\n".join(cell.source for cell in found.cells if cell.cell_type == "markdown")
    attached = [name for cell in found.cells for name in cell.get("attachments", {})]
    assert len(re.findall(r"\]\(attachment:", markdown)) == len(attached) == 2
    notebook(student_notebook(questions_only(document)))


def test_dollars_in_words_open_no_formula() -> None:
    document = d.Document(d.words("t"), blocks=(d.Paragraph(d.words("costs $5 or $6")),))
    assert b"costs <span>&#36;</span>5 or <span>&#36;</span>6" in answer_notebook(document)


def test_tables_stand_outside_of_quotations() -> None:
    table = d.Table((d.words("a|b"),), ((d.words("1"),),))
    callout = d.Callout("answer", (), (d.Paragraph(d.words("before")), table, d.Paragraph(d.words("after"))))
    (_, cell) = notebook(answer_notebook(d.Document(d.words("t"), blocks=(callout,)))).cells
    assert cell.source.split("\n\n") == [
        "> **Answer**\n>\n> before", "| a\\|b |\n|:--|\n| 1 |", "> after",
    ]  # fmt: skip


def test_code_in_lists_keeps_the_numbers() -> None:
    code = d.CodeCell(Executed("x", "x", (Printed("1\n", value=True),)))
    words = [d.Paragraph(d.words(word)) for word in ("one", "two", "more", "three")]
    listed = d.NumberedList(((words[0],), (words[1], code, words[2]), (words[3],)), start=4)
    cells = notebook(answer_notebook(d.Document(d.words("t"), blocks=(listed,)))).cells[1:]
    assert [cell.source for cell in cells] == ["4. one\n\n5. two", "x", "> more\n\n6. three"]


def test_hidden_code_is_run_and_marked() -> None:
    hidden = d.CodeCell(Executed("x = 1", "x = 1", (Printed("1\n"),), shown=False))
    document = d.Document(d.words("t"), blocks=(hidden, d.Paragraph(d.words("text"))))
    cell = notebook(answer_notebook(document)).cells[1]
    assert cell.source == "x = 1" and cell.outputs == [] and cell.metadata["jupyter"]["source_hidden"]
    contents = make(document, "s", ("tex", "html")).contents
    assert b"x = 1" not in contents["s.tex"] and b"x = 1" not in contents["s.html"]


COMMANDS = set(
    r"""\Bigl \Bigr \Delta \Lambda \Rightarrow \Vert \alpha \approx \bar \begin \beta \cdot \cdots \colon \cosh \dagger \delta \det \diag \dots
    \end \equiv \exp \frac \gamma \ge \gt \hat \in \infty \lVert \lambda \langle \lbrace \ldots \le \left \lim \ln \log \lt \lvert \mathbb \mathbf
    \mathcal \mathfrak \mathrm \max \min \nabla \ne \notin \odot \operatorname \oslash \otimes \overrightarrow \partial \phi \pm \prime \prod \propto
    \qquad \quad \rVert \rangle \rbrace \rho \right \rvert \sigma \sim \small \sqrt \subset \sum \tanh \text \tilde \times \to \top \vert \,""".split()
)
"""Commands that MathJax and KaTeX know without extensions."""


def test_formulas_use_what_renderers_know() -> None:
    document = built("lmu-dlai-2018-ex5")
    found = notebook(answer_notebook(document))
    text = "\n".join(cell.source for cell in found.cells if cell.cell_type == "markdown")
    formulas = re.findall(r"\$\$(.+?)\$\$|\$(.+?)\$", text)
    assert len(formulas) > 400
    for display, inline in formulas:
        formula = display or inline
        assert set(re.findall(r"\\(?:[A-Za-z]+|,)", formula)) <= COMMANDS, formula
        assert not re.search(r"[<>|\n]|\\\{", formula)
        assert formula.count("{") == formula.count("}") and formula.count(r"\left") == formula.count(r"\right")
    attached = [cell.attachments for cell in found.cells if "attachments" in cell]
    assert attached and all(set(one) == {"figure-1.png"} for one in attached)


def test_all_files_or_none(tmp_path: Path) -> None:
    (tmp_path / "mine.md").write_text(SHEET)
    out = tmp_path / "out"
    result = build(str(tmp_path / "mine.md"), out, "typst", run=True, notebook=True)
    names = {path.name for path in out.iterdir()}
    assert names == {"mine.tex", "mine-fig1.pdf", "mine.pdf", "mine.html", "mine.ipynb", "mine-student.ipynb"}
    assert result.files["ipynb"] == out / "mine.ipynb" and result.files["mine-student.ipynb"].exists()
    (out / "mine-student.ipynb").unlink()
    (out / "mine-student.ipynb").mkdir()
    before = {path.name: path.stat().st_mtime_ns for path in out.iterdir()}
    with pytest.raises(Exception, match="is a directory"):
        build(str(tmp_path / "mine.md"), out, "typst", run=True, notebook=True)
    assert {path.name: path.stat().st_mtime_ns for path in out.iterdir()} == before
