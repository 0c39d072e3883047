"""The book: its order, its contents, and its index."""

from __future__ import annotations

from reports import document as d
from reports import walk
from reports.atlas.book import authors_of, book, year_of
from reports.atlas.chapter import Chapter
from reports.html_writer import HtmlWriter
from reports.latex_writer import LatexWriter
from reports.layout import lay_out
from reports.typst_writer import TypstWriter


def made(name: str, citation: str, error: float = 0.0) -> Chapter:
    heading = d.Heading(1, d.words(f"Cell {name}"), name, new_page=True)
    return Chapter(name, f"Cell {name}", citation, (heading, d.Paragraph(d.words(name))), error)


LATE = made("late", "Cho et al. 2014, Learning phrase representations", 2e-13)
EARLY = made("early", "Hochreiter, Schmidhuber 1997, Long short-term memory", 3e-15)
NONE = made("none", "")


def test_years_and_authors() -> None:
    assert [year_of(one) for one in (LATE, EARLY)] == [2014, 1997]
    assert authors_of(LATE) == ["Cho"]
    assert authors_of(EARLY) == ["Hochreiter", "Schmidhuber"]
    assert authors_of(NONE) == []


def test_chapters_stand_by_year() -> None:
    found = [block.anchor for block in book([NONE, LATE, EARLY]).blocks if isinstance(block, d.Heading)]
    assert found == ["contents", "early", "late", "none", "index"]


def test_the_largest_error_is_told() -> None:
    text = " ".join(walk.plain_text(s) for block in book([LATE, EARLY]).blocks for s in walk.sentences(block))
    assert "2 · 10⁻¹³" in text


def test_contents_and_index_lead_to_chapters() -> None:
    document = lay_out(book([NONE, LATE, EARLY]))
    html = HtmlWriter(document).write()
    assert html.count('href="#early"') == 1 + 2  # once in the contents, once for each author
    assert 'id="early"' in html and "<nav" not in html
    latex = LatexWriter(document, "atlas").write()
    assert latex.count("\\pageref{early}") == 3 and "\\label{early}" in latex and "\\clearpage" in latex
    typst = TypstWriter(document).write()
    assert typst.count('counter(page).at(label("early"))') == 3 and "#pagebreak(weak: true)" in typst
