"""Files: all or none, the same bytes every time, and errors that say what to do."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from amount import some

from derive.errors import RenderError, UsageError
from derive.notation import surface as s
from reports import document as d
from reports.layout import lay_out
from reports.markdown import read_markdown
from reports.output import asset_stem
from reports.render import make, render
from reports.tex import MissingPackageError, compile_tex, tex_program
from reports.typst_pdf import typst_pdf

Make = Callable[..., d.Document]

SMALL = d.Document(d.words("A sheet"), blocks=(d.Paragraph(d.words("Hello.")),))


def test_files_are_written_and_named(tmp_path: Path, make_everything: Make) -> None:
    result = render(make_everything(), tmp_path / "new" / "folder", "sheet-1", route="typst")
    assert set(result.files) == {"tex", "pdf", "html", "sheet-1-fig1.pdf"} and result.route == "typst"
    assert result.files["html"] == tmp_path / "new" / "folder" / "sheet-1.html"
    assert all(path.stat().st_size > 500 for path in result.files.values())
    assert sorted(path.name for path in (tmp_path / "new" / "folder").iterdir()) == sorted(
        path.name for path in result.files.values()
    )


def test_only_what_was_asked_for_is_written(tmp_path: Path) -> None:
    assert set(render(SMALL, tmp_path, "s", ("html",)).files) == {"html"}
    assert [path.name for path in tmp_path.iterdir()] == ["s.html"]


def test_a_failing_pdf_leaves_everything_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(source: str) -> bytes:
        raise RenderError("no PDF today")

    monkeypatch.setattr("reports.render.typst_pdf", fail)
    (tmp_path / "s.html").write_text("before")
    with pytest.raises(RenderError, match="no PDF today"):
        render(SMALL, tmp_path, "s", route="typst")
    with pytest.raises(RenderError, match="no PDF today"):
        render(SMALL, tmp_path / "new", "s", route="typst")
    assert [path.name for path in tmp_path.iterdir()] == ["s.html"] and (tmp_path / "s.html").read_text() == "before"


def test_a_directory_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "s.html").mkdir()
    with pytest.raises(RenderError, match="is a directory"):
        render(SMALL, tmp_path, "s", ("tex", "html"))
    assert [path.name for path in tmp_path.iterdir()] == ["s.html"]
    (tmp_path / "file").write_text("x")
    with pytest.raises(RenderError, match="cannot write to"):
        render(SMALL, tmp_path / "file", "s", ("html",))


@pytest.mark.parametrize(
    "name", ["", "../x", "a/b", ".hidden", "a\\b", "x\n", "a\x00b", "\u202ea", "a" * 251, "ä" * 126, "\udcff"]
)
def test_names_are_file_names(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="name"):
        render(SMALL, tmp_path, name)


@pytest.mark.parametrize("route", ["tex", "typst"])
@pytest.mark.parametrize(
    "name", some(["100% #1 $x_1$ {a} ~&^ ä", "mein blatt ä", "-x.b.c", "a.b.c", "a" * 250, "-x"], 2)
)
def test_any_other_name_works_on_both_routes(tmp_path: Path, make_everything: Make, name: str, route: str) -> None:
    """Also with figures, whose files LaTeX must find."""
    if route == "tex" and tex_program() is None:
        pytest.skip("pdflatex is not installed")
    result = render(make_everything(), tmp_path, name, route=route)
    written = {path.name for path in tmp_path.iterdir()}
    assert {f"{name}.tex", f"{name}.pdf", f"{name}.html"} <= written and len(written) == 4
    assert result.files["pdf"].read_bytes().startswith(b"%PDF-")


def test_figures_of_names_that_look_alike_stay_apart() -> None:
    assert len({asset_stem(name) for name in ("a b", "a-b", "a  b", "A b", "ä b", "a.b")}) == 6


def test_unknown_formats_and_routes_are_told(tmp_path: Path) -> None:
    for formats, route in ((("doc",), "auto"), ((), "auto"), (("pdf",), "word")):
        with pytest.raises(UsageError):
            render(SMALL, tmp_path, "s", formats, route)


def _twice_the_same(make_everything: Make, route: str) -> bool:
    first, second = (make(make_everything(), "s", route=route) for _ in range(2))
    return dict(first.contents) == dict(second.contents)


def test_the_same_document_gives_the_same_bytes(make_everything: Make) -> None:
    assert _twice_the_same(make_everything, "typst")


@pytest.mark.usefixtures("tex")
def test_the_same_document_gives_the_same_bytes_with_tex(make_everything: Make) -> None:
    assert _twice_the_same(make_everything, "tex")


@pytest.mark.usefixtures("tex")
def test_latex_pdfs_carry_no_date(make_everything: Make) -> None:
    pdf = make(make_everything(), "s", ("pdf",), "tex").contents["s.pdf"]
    assert b"CreationDate" not in pdf and b"/ID [" not in pdf and b"PTEX" not in pdf


def test_the_latex_file_is_complete(make_everything: Make) -> None:
    made = make(make_everything(), "s", ("tex",))
    source = made.contents["s.tex"].decode()
    assert re.findall(r"\\includegraphics\[[^]]*\]\{([^}]*)\}", source) == ["s-fig1.pdf"]
    assert made.contents["s-fig1.pdf"].startswith(b"%PDF-")
    assert "VAR{" not in source and "BLOCK{" not in source


@pytest.mark.usefixtures("tex")
def test_the_latex_file_compiles_alone_without_warnings(make_everything: Make) -> None:
    made = make(make_everything(), "s", ("tex",))
    assets = {name: content for name, content in made.contents.items() if name.endswith(".pdf")}
    assert compile_tex(made.contents["s.tex"].decode(), assets).overfull == ()


WIDE = "$$\n" + r"\frac{" + " + ".join(f"W_{{{k}}} h_t" for k in range(20)) + r"}{b_t}" + "\n$$"
ROOT = "$" + r"\sqrt{" + " + ".join(f"W_{{{k}}} h_t" for k in range(20)) + "}$"
BRACKET = "$" + r"\left(\frac{1}{2} " + " + ".join(f"W_{{{k}}} h_t" for k in range(9)) + r"\right)$"


@pytest.mark.parametrize("route", ["tex", "typst"])
def test_formulas_that_cannot_be_broken_are_told_with_their_line(route: str) -> None:
    """By what is known of their widths, so on both routes; in the words of somebody who writes sheets."""
    if route == "tex" and tex_program() is None:
        pytest.skip("pdflatex is not installed")
    document = read_markdown(f"First.\n\n{WIDE}\n\nSecond {ROOT}.\n\n> - deep {ROOT}")
    first, second, third = make(document, "s", ("pdf",), route).warnings
    assert first.startswith("line 3: this formula is wider than the page") and "W_0" in first and len(first) < 250
    assert second.startswith("line 7: this formula is too wide for a line of text") and third.startswith("line 9: ")
    assert not re.search(r"(?i)overfull|box|badness|pt too", first + second + third)


@pytest.mark.usefixtures("tex")
def test_what_tex_finds_to_stick_out_is_told_by_the_line_of_the_sheet() -> None:
    document = read_markdown(
        f"Text.\n\n> - A formula in brackets that grow, which TeX does not break: {BRACKET}\n\nText."
    )
    (warning,) = make(document, "s", ("pdf",), "tex").warnings
    assert re.match(r"line 3: what starts here sticks out of the page by \d+\.\d cm", warning)


@pytest.mark.parametrize("route", ["tex", "typst"])
def test_long_words_break(route: str) -> None:
    if route == "tex" and tex_program() is None:
        pytest.skip("pdflatex is not installed")
    word = "x" * 300
    text = f"---\nauthor: {word}\n---\n\n# {word}\n\n## {word}\n\n{word} `{word}` **{word}** <https://example.org/{word}>\n\n```\n{word}\n```\n"
    made = make(read_markdown(text), "s", ("pdf", "html"), route)
    assert made.warnings == ()
    assert word in made.contents["s.html"].decode()


def test_a_formula_longer_than_a_page_is_divided(read_formula: Callable[[str], s.Surface]) -> None:
    long = read_formula("L = " + " + ".join(f"W_{{{k}}} h_t" for k in range(400)))
    rows = next(
        block
        for block in lay_out(d.Document(d.words("t"), blocks=(d.Display(long),))).blocks
        if isinstance(block, d.Rows)
    ).rows
    assert len(rows) > 40
    assert rows[0].sticky and rows[-2].sticky and not rows[20].sticky


def test_characters_without_a_glyph_are_told() -> None:
    made = make(d.Document(d.words("Привет"), blocks=()), "s", ("tex",))
    assert any("U+041F" in warning for warning in made.warnings)


@pytest.mark.usefixtures("tex")
def test_the_first_error_of_tex_is_told_with_its_line() -> None:
    with pytest.raises(RenderError, match=r"Undefined control sequence.*at line 3: x \\nonsense"):
        compile_tex("\\documentclass{article}\n\\begin{document}\nx \\nonsense y\n\\alsowrong\n\\end{document}")


@pytest.mark.usefixtures("tex")
def test_tex_that_never_ends_is_stopped() -> None:
    with pytest.raises(RenderError, match="still at work"):
        compile_tex("\\documentclass{article}\\begin{document}\\loop\\iftrue\\repeat\\end{document}", seconds=2)


@pytest.mark.usefixtures("tex")
def test_a_missing_package_is_named() -> None:
    with pytest.raises(MissingPackageError, match=r"no nosuchpackage\.sty"):
        compile_tex("\\documentclass{article}\\usepackage{nosuchpackage}\\begin{document}x\\end{document}")


def test_without_tex_the_pdf_comes_from_typst(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert make(SMALL, "s", ("pdf",)).route == "typst"
    with pytest.raises(RenderError, match="no TeX is installed"):
        make(SMALL, "s", ("pdf",), "tex")


def test_with_an_incomplete_tex_the_pdf_comes_from_typst_with_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    def incomplete(source: str, assets: object) -> None:
        raise MissingPackageError("the TeX installation has no mathtools.sty")

    monkeypatch.setattr("reports.render.tex_program", lambda: "pdflatex")
    monkeypatch.setattr("reports.render.compile_tex", incomplete)
    made = make(SMALL, "s", ("pdf",))
    assert made.route == "typst" and "mathtools.sty" in made.warnings[0]
    with pytest.raises(MissingPackageError):
        make(SMALL, "s", ("pdf",), "tex")


def test_typst_pdfs_carry_a_fixed_date() -> None:
    dates = re.findall(rb"\(D:(\d{4})", typst_pdf("Hello"))
    assert dates and set(dates) == {b"1970"}


def test_errors_of_typst_are_told() -> None:
    with pytest.raises(RenderError, match="Typst cannot read the document"):
        typst_pdf("#nonsense()")
