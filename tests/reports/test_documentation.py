"""The guide to writing sheets: its examples build, and it knows every block and every option."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from derive.notation.source import Source
from reports.blocks import REGISTRY, SheetContext
from reports.document import Document
from reports.markdown import read_markdown
from reports.render import make

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
