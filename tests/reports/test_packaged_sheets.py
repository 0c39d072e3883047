"""The sheets of the package: each is whole, fits its pages, and can be had in every form."""

from __future__ import annotations

import re

import pytest
from amount import some
from built import built

from reports import document as d
from reports import walk
from reports.forms import Form
from reports.render import make
from reports.sheet import document_of, find, sheet_ids

EXERCISES = {
    "rnn-nlp-2022-ex3": ["3.1 i)", "3.1 ii)", "3.2 i)", "3.2 ii)", "3.3 i)", "3.3 ii)", "3.4", "3.5"],
    "lmu-dlai-2018-ex5": ["(a)", "(b)", "(a)", "(b)", "(c)", "(a)", "(b)", "(c)", "(d)", "5-4"],
    "nn-2024-sheet11": ["11.1 (1)", "11.1 (2)", "11.2 (1)", "11.2 (2)", "11.3 (1)", "11.3 (2)", "11.3 (3)", "11.3 (4) a)", "11.3 (4) b)", "11.4"],
    "mlnlp-2021-ex6": ["1.1", "1.2", "2.1", "2.2", "2.3", "3.1"],
    "ist-dl-2022-p9": ["1.1", "1.2", "Bonus", "Question 1", "Question 2", "Question 3"],
}  # fmt: skip

DATA = {"http://mattmahoney.net/dc/text8.zip"}
"""Links to the data that a source names."""


@pytest.fixture(scope="module", params=sheet_ids())
def sheet(request: pytest.FixtureRequest) -> tuple[str, d.Document]:
    return request.param, built(request.param)


def test_every_question_is_restated_and_answered(sheet: tuple[str, d.Document]) -> None:
    name, document = sheet
    heading, asked, answered = "", [], []
    for block in document.blocks:
        if isinstance(block, d.Heading):
            heading = walk.plain_text(block.body)
        elif isinstance(block, d.Callout) and block.kind == "question":
            asked.append(heading)
        elif asked and len(answered) < len(asked) and not block.asked:
            answered.append(heading)
    assert len(asked) == len(EXERCISES[name]) == len(answered)
    assert all(heading.startswith(number) for heading, number in zip(asked, EXERCISES[name], strict=True))


def test_it_fits_its_pages(sheet: tuple[str, d.Document]) -> None:
    name, document = sheet
    made = make(document, name, route="typst")
    assert made.warnings == ()


@pytest.mark.usefixtures("tex")
def test_tex_has_no_complaints(sheet: tuple[str, d.Document]) -> None:
    name, document = sheet
    assert make(document, name, ("tex", "pdf"), route="tex").warnings == ()


@pytest.mark.parametrize("name", some(["mlnlp-2021-ex6", "ist-dl-2022-p9"], 2))
def test_variants_have_other_numbers_and_their_own_answers(name: str) -> None:
    found = [document_of(find(name), draws=2, form=Form(variant=variant, detail="short")) for variant in (1, 2)]
    texts = [make(document, name, ("html",)).contents[f"{name}.html"] for document in found]
    assert texts[0] != texts[1]
    assert all(b"the source" not in text.lower() or b"what the source" in text.lower() for text in texts)


@pytest.mark.parametrize("name", sheet_ids())
def test_questions_can_be_handed_out(name: str) -> None:
    document = document_of(find(name), form=Form(show="questions"))
    assert not any(isinstance(block, (d.Table, d.CodeBlock)) for block in document.blocks)
    kinds = {block.kind for block in document.blocks if isinstance(block, d.Callout)}
    assert kinds == {"question"}


def test_short_answers_are_short() -> None:
    document = built("nn-2024-sheet11")
    answers = [block for block in document.blocks if isinstance(block, d.Callout) and block.kind == "answer"]
    counts = [
        len(" ".join(walk.plain_text(text) for inner in block.blocks for text in walk.sentences(inner)).split())
        for block in answers
    ]
    assert len(counts) == 2 and all(count <= 100 for count in counts)


def test_references_lead_somewhere() -> None:
    for name in sheet_ids():
        text = find(name).source.text
        for url in {*re.findall(r"\]\((https?://[^)]*)\)", text)} - DATA:
            assert re.match(
                r"https://(doi\.org/10\.\d{4,9}/\S+|arxiv\.org/abs/\d{4}\.\d{4,5}|aclanthology\.org/\S+)$", url
            ), url
