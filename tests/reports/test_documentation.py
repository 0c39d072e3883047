"""The guide to writing sheets: its examples build, and it knows every block and every option."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bptt.cli import main
from derive.notation.source import Source
from reports.blocks import REGISTRY, SheetContext
from reports.document import Document
from reports.markdown import read_markdown
from reports.render import make
from reports.sheet import find, sheet_ids

GUIDE = (Path(__file__).parents[2] / "docs" / "sheets.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^````markdown\n(.*?)^````$", GUIDE, re.DOTALL | re.MULTILINE)


def built(text: str) -> Document:
    with SheetContext(draws=2, run=True) as context:
        return read_markdown(Source(text, "guide.md"), REGISTRY, context)


@pytest.fixture(scope="module")
def guide_sheet() -> Document:
    """All examples but the first, one after another."""
    return built("\n".join(EXAMPLES[1:]))


def test_the_first_example_is_a_whole_sheet() -> None:
    document = built(EXAMPLES[0])
    assert document.title and document.meta["author"] == "A. Lecturer" and len(document.blocks) == 5


def test_the_examples_build_in_every_output(guide_sheet: Document) -> None:
    found = make(guide_sheet, "guide", route="typst")
    assert set(found.contents) >= {"guide.tex", "guide.pdf", "guide.html"} and found.warnings == ()


@pytest.mark.usefixtures("tex")
def test_the_examples_fit_the_page(guide_sheet: Document) -> None:
    assert make(guide_sheet, "guide", ("pdf",), "tex").warnings == ()


@pytest.mark.parametrize("name", REGISTRY.names)
def test_every_block_is_explained_with_all_its_options(name: str) -> None:
    headings = re.findall(r"^### (.*)$", GUIDE, re.MULTILINE)
    assert name in ", ".join(headings).split(", ")
    (section,) = [
        part for part in re.split(r"^### ", GUIDE, flags=re.MULTILINE)[1:] if name in part.split("\n", 1)[0].split(", ")
    ]
    assert f"```bptt {name}\n" in section
    for option in REGISTRY.options(name):
        assert f"`{option}`" in section, f"{name}: {option}"


def test_no_option_is_invented() -> None:
    rows = re.findall(r"^\| (`[^|]*`) \|", GUIDE.split("## Blocks")[1], re.MULTILINE)
    named = {option.strip("` ") for row in rows for option in row.split(",")}
    assert named <= {option for name in REGISTRY.names for option in REGISTRY.options(name)}


# -- the guide of ten minutes, and the table of answers --------------------------------------------

DOCS = Path(__file__).parents[2] / "docs"
FIRST = re.findall(
    r"^````markdown\n(.*?)^````$", (DOCS / "first-sheet.md").read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
)


def test_the_first_sheet_builds_after_every_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for number in range(1, len(FIRST) + 1):
        Path("sheet.md").write_text("\n".join(FIRST[:number]), encoding="utf-8")
        code = any("bptt code" in part for part in FIRST[:number])
        arguments = ["sheet", "sheet.md", "-o", "out", "--route", "typst", *(["--run"] if code else [])]
        assert main(arguments) == 0
    assert main([*arguments, "--questions-only", "--variant", "12"]) == 0
    assert main([*arguments, "--notebook", "--fragment", "--paper", "letter", "--language", "de"]) == 0
    names = {path.name for path in Path("out").iterdir()}
    assert {"sheet-variant-12-questions.pdf", "sheet-student.ipynb", "sheet-fragment.tex", "bptt-sheet.sty"} <= names


def test_slips_that_the_first_sheet_speaks_of_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for old, new in (
        ("of: h_t", "of: q_t"),
        ("(1 - a) I + a \\operatorname{diag}(1 -", "(1 - a) I - a \\operatorname{diag}(1 -"),
    ):
        text = "\n".join(FIRST[:2])
        assert old in text
        Path("sheet.md").write_text(text.replace(old, new), encoding="utf-8")
        assert main(["sheet", "sheet.md", "-o", "out"]) == 2
        assert "sheet.md, line" in capsys.readouterr().err and not Path("out").exists()


def test_every_answer_is_where_the_table_says() -> None:
    rows = re.findall(
        r"^\| .*? \| .+? \| `(.+?)` \| (.+?) \|$", (DOCS / "answers.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert {sheet for sheet, _ in rows} == set(sheet_ids())
    for sheet, heading in rows:
        assert re.search(rf"^#+ {re.escape(heading)}( \{{.*\}})*$", find(sheet).source.text, re.MULTILINE), heading
