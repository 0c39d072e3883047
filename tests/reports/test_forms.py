"""Forms of a sheet: what each of them has, and what is not even read in it."""

from __future__ import annotations

import re

import pytest

from derive.errors import BpttError, ParseError, UsageError
from derive.notation.source import Source
from reports import document as d
from reports import walk
from reports.blocks import REGISTRY, SheetContext
from reports.forms import Form
from reports.html_writer import HtmlWriter
from reports.layout import lay_out
from reports.markdown import read_markdown
from reports.render import make

SHEET = r"""---
title: A sheet
subtitle: Answers
fields: Name, Group
---

Words before, with [a link](#away).

## One

::: given
What is given.

```bptt cell
name: a
---
h_t = \sigma(W h_{t-1} + U x_t)
```
:::

::: question (4 marks)
The first question, see [there](#away) and [here](#two).
:::

::: hint
The hint.
:::

::: steps
In steps.
:::

::: short
In short.
:::

```bptt jacobian
cell: a
of: h_t
wrt: h_{t-1}
```

::: result
The result is $\operatorname{diag}(\sigma'(z_t)) W$.
:::

### Not asked {#away}

An aside.

## Two {#two}

```bptt cell
name: b
show: no
---
s_t = \tanh(W s_{t-1})
```

::: question The second (2,5 Punkte)
The second question.

```bptt unrolled
cell: b
```
:::

::: original
Only here.
:::

::: variant
Only there.
:::

## Marks

```bptt marking
caption: All marks.
```
"""


def read(form: Form, text: str = SHEET) -> d.Document:
    context = SheetContext(draws=2, short=form.detail == "short", answers=form.has_answers)
    return read_markdown(Source(text), REGISTRY, context, form)


def page(form: Form, text: str = SHEET) -> str:
    body = HtmlWriter(lay_out(read(form, text))).write().partition("<main>")[2]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", re.sub(r"<(math|svg).*?</\1>", "", body, flags=re.DOTALL)))


SAID = {
    "Words before": "answers", "What is given": "all", "The first question": "all", "The hint": "hints", "In steps": "steps",
    "In short": "short", "The result is": "answers", "An aside": "answers", "Not asked": "answers", "The second question": "all",
    "Only here": "original", "Only there": "variant", "All marks": "answers", "Against automatic differentiation": "steps",
}  # fmt: skip


@pytest.mark.parametrize("detail", ["steps", "short"])
@pytest.mark.parametrize("show", ["answers", "questions", "hints"])
@pytest.mark.parametrize("variant", [0, 7])
def test_a_form_has_what_belongs_to_it(show: str, detail: str, variant: int) -> None:
    text = page(Form(show, detail, variant))  # type: ignore[arg-type]
    answers = show == "answers"
    wanted = {
        "all": True, "answers": answers, "hints": show == "hints", "steps": answers and detail == "steps",
        "short": answers and detail == "short", "original": answers and not variant, "variant": answers and bool(variant),
    }  # fmt: skip
    if not answers:  # these stand outside of questions
        wanted["original"], wanted["variant"] = False, False
    assert {words: words in text for words in SAID} == {words: wanted[kind] for words, kind in SAID.items()}


def test_marks_are_added_up_and_told_in_the_language_of_the_sheet() -> None:
    english, german = read(Form()), read(Form(settings={"language": "de"}))
    assert english.meta["marks"] == german.meta["marks"] == "6.5"
    assert "(4 marks)" in page(Form()) and "(2.5 marks)" in page(Form())
    assert "(2,5 Punkte)" in page(Form(settings={"language": "de"}))
    (table,) = [block for block in english.blocks if isinstance(block, d.Table)]
    assert [walk.plain_text(row[1]) for row in table.rows] == ["4", "2.5", "6.5"]
    assert "The result is" in walk.plain_text(table.rows[0][2]) and not table.rows[1][2]


def test_links_to_what_is_left_out_are_words() -> None:
    links = [
        inline.url
        for block in read(Form(show="questions")).blocks
        for sentence in walk.sentences(block)
        for inline in walk.inlines_below(sentence)
        if isinstance(inline, d.Link)
    ]
    assert links == ["#two"]


@pytest.mark.parametrize(("form", "stays"), [(Form(), True), (Form(variant=3), False), (Form(detail="short"), True)])
def test_headings_over_parts_that_a_form_has_not_are_left_out(form: Form, stays: bool) -> None:
    text = "---\ntitle: t\n---\n\n## One\n\nText.\n\n## The source\n\n::: original\nOnly here.\n:::\n\n## Two\n\nText."
    headings = [walk.plain_text(block.body) for block in read(form, text).blocks if isinstance(block, d.Heading)]
    assert headings == (["One", "The source", "Two"] if stays else ["One", "Two"])


def test_what_a_form_has_not_is_not_derived() -> None:
    wrong = SHEET.replace("of: h_t\n", "of: q_t\n")
    with pytest.raises(BpttError):
        read(Form(), wrong)
    assert read(Form(show="questions"), wrong).blocks


def test_findings_about_answers_are_left_out_with_them() -> None:
    text = (
        "---\ntitle: A\n---\n\n::: answer\n```bptt claim\ncell: lstm\nreading: h_t = h_t\nsays: It is itself.\nplace: 1\nexpect: definition\n"
        "```\n:::\n\n::: given\nWhat holds:\n\n```bptt findings\n```\n:::\n"
    )
    assert "It is itself." in page(Form(), text)
    assert "What holds" in page(Form(show="questions"), text) and "It is itself." not in page(
        Form(show="questions"), text
    )
    with pytest.raises(ParseError, match="no claim stands before"):
        read(Form(), text.replace("```bptt claim", "```text"))


def test_the_title_says_which_form_it_is() -> None:
    def subtitle(form: Form) -> str:
        return walk.plain_text(read(form).subtitle)

    assert subtitle(Form()) == "Answers"
    assert subtitle(Form(variant=3)) == "Answers, Variant 3"
    assert subtitle(Form(show="hints", variant=3, settings={"language": "de"})) == "Aufgaben mit Hinweisen, Variante 3"


def test_settings_take_the_place_of_front_matter() -> None:
    document = read(Form(settings={"title": "Mine: $h_t$", "course": "C", "group": "7"}))
    assert (
        walk.plain_text(document.title) == "Mine: h_t"
        and document.meta["course"] == "C"
        and document.meta["group"] == "7"
    )
    with pytest.raises(ParseError, match="language"):
        read(Form(settings={"language": "tlh"}))
    with pytest.raises(ParseError, match="there is no key 'titel'"):
        read(Form(settings={"titel": "x"}))


@pytest.mark.parametrize(("paper", "said"), [("a4", "a4paper"), ("letter", "letterpaper")])
def test_the_page(paper: str, said: str) -> None:
    made = make(read(Form(paper=paper)), "x", route="typst")  # type: ignore[arg-type]
    assert said in made.contents["x.tex"].decode()
    assert (b"size: letter" in made.contents["x.html"]) == (paper == "letter")
    box = re.search(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)", made.contents["x.pdf"])
    assert box is not None and round(float(box[1])) == {"a4": 595, "letter": 612}[paper]


@pytest.mark.parametrize(
    "form", [{"show": "all"}, {"detail": "long"}, {"paper": "a5"}, {"variant": -1}, {"variant": 10**9}]
)
def test_forms_that_there_are_not(form: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        Form(**form)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("::: hint (2 marks)\nx\n:::", "only questions have marks"),
        ("::: given Title\nx\n:::", "has no title"),
        ("::: gven\nx\n:::", "no callout 'gven'"),
        ("::: steps\nx", "never closed"),
    ],
)
def test_slips_in_containers(text: str, said: str) -> None:
    with pytest.raises(ParseError, match=said):
        read(Form(), text)


def test_headings_in_the_language_of_the_sheet() -> None:
    text = "Words.\n\n## One $h_t$ {de: Eins $h_{t}$} {#first}\n\nSee [it](#first).\n\n## Two {de: Zwei}\n\n## Three\n"

    def headings(language: str) -> list[tuple[str, str]]:
        blocks = read(Form(settings={"language": language}), text).blocks
        return [(walk.plain_text(block.body), block.anchor) for block in blocks if isinstance(block, d.Heading)]

    assert headings("en") == [("One h_t", "first"), ("Two", "two"), ("Three", "three")]
    assert headings("de") == [("Eins h_t", "first"), ("Zwei", "zwei"), ("Three", "three")]


def test_what_a_sheet_is_called_in_another_language() -> None:
    text = "---\ntitle: One $h_t$ {de: Eins $h_t$}\nsubtitle: Answers {de: Lösungen}\nfields: Name {de: Vorname}\n---\nWords.\n"
    english, german = read(Form(), text), read(Form(settings={"language": "de"}), text)
    assert walk.plain_text(english.title) == "One h_t" and walk.plain_text(german.title) == "Eins h_t"
    assert (english.subtitle, german.subtitle) == (d.words("Answers"), d.words("Lösungen"))
    assert (english.meta["fields"], german.meta["fields"]) == ("Name", "Vorname")


@pytest.mark.parametrize("show", ["answers", "questions", "hints"])
def test_a_question_in_a_part_is_asked_in_every_form(show: str) -> None:
    """Of the parts for the printed numbers and for drawn ones, one is in each form, with its question and no more."""
    parts = "".join(
        f":::: {kind}\n\n{kind} words\n\n::: question\nWhat of the {kind}?\n:::\n\n{kind} answer\n\n::::\n\n"
        for kind in ("original", "variant")
    )
    for variant, (there, gone) in enumerate((("original", "variant"), ("variant", "original"))):
        form = Form(show=show, variant=variant)  # type: ignore[arg-type]
        found = HtmlWriter(lay_out(read_markdown(Source(parts, "s.md"), REGISTRY, SheetContext(), form))).write()
        assert f"What of the {there}?" in found and f"of the {gone}?" not in found
        assert (f"{there} answer" in found and f"{there} words" in found) == (show == "answers")
