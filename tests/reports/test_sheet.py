"""The answer sheet of the package: it answers every question, and its findings are what this file says."""

from __future__ import annotations

import re

import pytest
from built import built

from reports.document import Callout, Document, Heading
from reports.render import make
from reports.sheet import sheet_ids
from reports.walk import plain_text, sentences

SHEET = "lmu-dlai-2018-ex5"

QUESTIONS = {
    "5-1": ("(a)", "(b)"), "5-2": ("(a)", "(b)", "(c)"), "5-3": ("(a)", "(b)", "(c)", "(d)"), "5-4": (),
}  # fmt: skip

FINDINGS = [
    ("5-1", "a definition"), ("5-1", "a definition"), ("5-1", "a definition"), ("5-1 (a)", "a definition"),
    ("5-1 (a)", "holds"), ("5-1 (a), the sizes", "holds"),
    ("5-1 (b)", "holds in one reading"), ("5-2 (a)", "only in a special case"), ("5-2 (a)", "holds"),
    ("5-2 (b)", "a definition"), ("5-2 (b)", "holds"),
    ("5-2 (b)", "a definition"), ("5-2 (b)", "holds"), ("5-2 (b)", "holds"), ("5-2 (c)", "false"),
    ("5-2 (c)", "holds"), ("before 5-3 (c)", "false"),
    ("before 5-3 (c)", "an approximation"), ("before 5-3 (c)", "false"), ("5-3, footnote 3", "an approximation"),
    ("5-3, footnote 3", "an approximation"),
    ("5-3 (c)", "only in a special case"), ("5-3 (c)", "only in a special case"), ("5-3 (c)", "holds"),
    ("5-3 (d)", "a definition"), ("5-3 (d)", "false"),
    ("5-3 (d)", "false"), ("5-3 (d)", "false"), ("5-3 (d), hint", "holds"),
]  # fmt: skip


@pytest.fixture(scope="module")
def sheet() -> Document:
    return built(SHEET)


def test_every_question_is_answered(sheet: Document) -> None:
    headings = [(block.level, plain_text(block.body)) for block in sheet.blocks if isinstance(block, Heading)]
    for number, parts in QUESTIONS.items():
        start = next(k for k, (_, title) in enumerate(headings) if title.startswith(number))
        found = []
        for level, title in headings[start + 1 :]:
            if level == 1:
                break
            found.append(title.split()[0])
        assert tuple(found) == parts, number


def test_each_question_is_restated(sheet: Document) -> None:
    assert sum(isinstance(block, Callout) and block.kind == "question" for block in sheet.blocks) == sum(
        max(1, len(parts)) for parts in QUESTIONS.values()
    )


def test_the_findings_are_known(sheet: Document) -> None:
    titles = [
        plain_text(block.title)
        for block in sheet.blocks
        if isinstance(block, Callout) and ": " in plain_text(block.title)  # what is remarked in the text has no verdict
    ]
    assert len(titles) == len(FINDINGS)
    for title, (place, verdict) in zip(titles, FINDINGS, strict=True):
        assert title.startswith(place) and title.endswith(f": {verdict}"), title


def test_numbers_of_the_second_part(sheet: Document) -> None:
    """Against NumPy: the printed power, and the size of what remains."""
    import numpy as np

    html = make(sheet, "x", ("html",)).contents["x.html"].decode()
    text = re.sub(r"<[^>]+>", " ", html)
    power = np.linalg.matrix_power(np.array([[0.58, 0.24], [0.24, 0.72]]), 30)
    for value in (power[0, 0], power[0, 1], power[1, 1]):
        assert f"{value:.6f}" in text
    assert f"{0.9**30:.3f}" in text


def test_no_engine_words_in_titles(sheet: Document) -> None:
    for block in sheet.blocks:
        for sentence in sentences(block):
            assert "\\" not in plain_text(sentence) or isinstance(block, Callout)


@pytest.mark.usefixtures("tex")
def test_the_sheet_fits_its_pages(sheet: Document) -> None:
    assert make(sheet, "x", ("tex", "pdf"), "tex").warnings == ()


def test_the_sheet_builds_without_tex(sheet: Document) -> None:
    assert make(sheet, "x", ("pdf",), "typst").contents["x.pdf"].startswith(b"%PDF-")


def test_the_list_of_sheets() -> None:
    assert SHEET in sheet_ids()
