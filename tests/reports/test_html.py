"""The HTML page: whole in itself, strict, and meaningful to machines."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from derive.notation.parser import parse_one
from reports import document as d
from reports.render import make

_VOID = {"meta", "br", "hr", "img", "input", "link"}


class _Page(HTMLParser):
    """Checks nesting and collects elements."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-1:]}"
        self.open.pop()

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.elements)


def page(document: d.Document) -> str:
    return make(document, "s", ("html",)).contents["s.html"].decode()


@pytest.fixture
def everything(make_everything: Callable[..., d.Document]) -> str:
    return page(make_everything())


def test_elements_are_nested_and_meaningful(everything: str) -> None:
    found = _Page(everything)
    assert found.open == []
    assert [
        found.count(tag) for tag in ("h1", "main", "header", "table", "caption", "figure", "figcaption", "blockquote")
    ] == [
        1,
        1,
        1,
        1,
        1,
        2,
        2,
        1,
    ]
    assert found.count("svg") == 2 and found.count("math") > 10
    assert ("html", {"lang": "en"}) in found.elements


def test_identifiers_are_unique_and_links_lead_somewhere(everything: str) -> None:
    identifiers = re.findall(r'\sid="([^"]+)"', everything)
    assert len(identifiers) == len(set(identifiers))
    assert set(re.findall(r'href="#([^"]+)"', everything)) <= set(identifiers)


def test_nothing_is_loaded_and_nothing_runs(everything: str) -> None:
    found = _Page(everything)
    assert not any(tag in ("script", "link", "img", "iframe", "object", "embed", "base") for tag, _ in found.elements)
    for tag, attributes in found.elements:
        assert not any(name.startswith("on") or name in ("src", "srcset", "style") for name in attributes), (
            tag,
            attributes,
        )
    assert "@import" not in everything and "url(http" not in everything


def test_the_policy_allows_this_style_sheet_only(everything: str) -> None:
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', everything)
    style = re.search(r"<style>(.*?)</style>", everything, re.DOTALL)
    assert policy is not None and style is not None
    digest = base64.b64encode(hashlib.sha256(style.group(1).encode()).digest()).decode()
    assert policy.group(1) == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def test_every_class_has_a_style(everything: str) -> None:
    style = everything[everything.index("<style>") : everything.index("</style>")]
    used = {name for value in re.findall(r'\sclass="([^"]+)"', everything) for name in value.split()}
    without = {name for name in used if f".{name}" not in style}
    assert without <= {"byline", "solid", "level-1", "question", "note"}, "these look like their surroundings"


def test_contents_from_three_headings_on() -> None:
    headings = tuple(d.Heading(1, d.words(f"Part {k}"), f"part-{k}") for k in range(3))
    assert "<nav" in page(d.Document(d.words("t"), blocks=headings))
    assert "<nav" not in page(d.Document(d.words("t"), blocks=headings[:2]))


def test_wide_formulas_get_their_own_scroll_box() -> None:
    wide, narrow = (d.Math(parse_one(" + ".join(f"A_{k} B_{k}" for k in range(count)))) for count in (9, 2))
    assert page(d.Document(d.words("t"), blocks=(d.Paragraph((wide,)),))).count('<span class="wide">') == 1
    marked = page(d.Document(d.words("t"), blocks=(d.Paragraph((wide, d.Text(". And"))),)))
    assert "</math>.</span> And" in marked, "punctuation scrolls with its formula"
    assert '<span class="wide">' not in page(d.Document(d.words("t"), blocks=(d.Paragraph((narrow,)),)))


def test_punctuation_stays_with_its_formula() -> None:
    body = (d.Math(parse_one("h_t")), d.Text("). And"))
    assert "</math>).</span> And" in page(d.Document(d.words("t"), blocks=(d.Paragraph(body),)))


def test_words_of_the_sheet_are_in_its_language() -> None:
    german = page(d.Document(d.words("t"), meta={"language": "de"}, blocks=(d.Callout("answer", (), ()),)))
    assert '<html lang="de">' in german and "Lösung" in german
