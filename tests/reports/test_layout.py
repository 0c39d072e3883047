"""Widths, line breaking, tables and numbering."""

from __future__ import annotations

import re
import subprocess
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from shutil import which

import pytest
from hypothesis import given
from hypothesis import strategies as st

from derive.errors import RenderError
from derive.notation import surface as s
from derive.notation.write_plain import write_plain
from reports import document as d
from reports import walk
from reports.breaking import INDENT, STEP, break_formula, break_rows
from reports.formulas import latex_formula
from reports.layout import LINE, MAX_NESTING, lay_out
from reports.measure import RELATION_WIDTH, measure, sign_width, width
from reports.render import make
from reports.tex import compile_tex, tex_program

Read = Callable[[str], s.Surface]

FORMULAS = (
    r"W h_{t-1} + U x_t + b", r"\frac{\partial h^{[3]}_1}{\partial h^{[3]}_0}",
    r"\sum_{t=1}^{T} \sum_{k=1}^{t} \frac{\partial L_t}{\partial h_t}",
    r"\operatorname{diag}(f_t) + \operatorname{diag}(C_{t-1}) \operatorname{diag}(\sigma'(z^f_t)) W_f",
    r"W^\top \delta_{t+1} \odot (1 - h_t \odot h_t)",
    r"\begin{pmatrix} \operatorname{diag}(f_t) & W_f h_t + b \\ 0 & I \end{pmatrix}", r"\lVert J \rVert \le \gamma < 1",
    r"\prod_{j=k+1}^{t} \operatorname{diag}(\sigma'(z_j)) W", r"\tilde{C}_t = \tanh(W_c h_{t-1} + U_c x_t + b_c)",
    r"\bar{h}_t = \nabla_{h_t} L",
    r"\left(\sum_{t=1}^T x_t\right) y", r"\delta^f_t \odot f_t \otimes x_t^\top", r"\sqrt{n} \cdot \hat{y}_t",
)  # fmt: skip


@pytest.mark.usefixtures("tex")
def test_estimated_widths_are_near_the_truth(read_formula: Read) -> None:
    """A box of width zero is overfull by just the width of what it holds."""
    boxes = "\n".join(
        f"\\noindent\\hbox to 0pt{{\\hbox{{$\\displaystyle {latex_formula(read_formula(text))}$}}}}\\par"
        for text in FORMULAS
    )
    preamble = r"\documentclass[10pt]{article}\usepackage[T1]{fontenc}\usepackage{lmodern,mathtools,amssymb}"
    found = compile_tex(f"{preamble}\\begin{{document}}\n{boxes}\n\\end{{document}}").overfull
    true = [one.points / 10 for one in found]
    assert len(true) == len(FORMULAS)
    for text, truth in zip(FORMULAS, true, strict=True):
        assert measure(read_formula(text)).width == pytest.approx(truth, rel=0.08), text


def test_what_fits_is_left_whole(read_formula: Read) -> None:
    formula = read_formula("a + b + c")
    assert break_formula(formula, 20) == [(formula,)]


def test_sums_break_before_their_signs(read_formula: Read) -> None:
    lines = break_formula(read_formula("A B C D + E F G H - K L M N + P Q R S"), 10.5)
    assert [line[0].kind for line in lines[1:] if isinstance(line[0], d.Sign)] == ["-"]
    assert _plain(lines[0]) == "A B C D + E F G H" and _plain(lines[1]) == "- K L M N + P Q R S"


def test_products_break_with_a_sign(read_formula: Read) -> None:
    by_hand = s.Infix(("at",) * 7, tuple(s.Name(letter) for letter in "ABCDEFGH"))
    lines = break_formula(by_hand, 5)
    assert all(line[0] == d.Sign("cdot") for line in lines[1:]) and len(lines) > 1
    lines = break_formula(read_formula(r"A B C D \odot E F G H \odot K L M N"), 6)
    assert all(line[0] == d.Sign("odot") for line in lines[1:]) and len(lines) == 3


def test_long_brackets_break_inside_last(read_formula: Read) -> None:
    lines = break_formula(read_formula(r"x \odot (A B C D + E F G H + K L M N + P Q R S)"), 9)
    assert _plain(lines[0]).startswith("x odot (") and _plain(lines[-1]).endswith(")")
    assert all(isinstance(line[0], d.Sign) and line[0].kind == "+" for line in lines[1:])


def test_sums_over_time_and_powers_break_inside_too(read_formula: Read) -> None:
    inside = r"(A B C D \odot x_t + E F G H \odot y_t + K L M N \odot z_t)"
    for text in (rf"\prod_{{j=k+1}}^{{t}} {inside}", rf"{inside}^\top v", rf"\operatorname{{diag}}({inside[1:-1]})"):
        lines = break_formula(read_formula(text), 10)
        assert len(lines) == 3 and all(isinstance(line[0], d.Sign) and line[0].kind == "+" for line in lines[1:]), text
    document = d.Document(
        d.words("t"), blocks=(d.Display(read_formula(rf"v = \prod_{{j=1}}^{{t}} {inside * 4}^\top")),)
    )
    assert make(document, "x", ("pdf", "html"), "typst").contents["x.pdf"]


def _plain(line: tuple[d.Fragment, ...]) -> str:
    text = " ".join(fragment.kind if isinstance(fragment, d.Sign) else write_plain(fragment) for fragment in line)
    return text.replace("( ", "(").replace(" )", ")")


_FACTORS = st.lists(st.sampled_from(["W", "h_t", "U", r"\sigma", "x_{t-1}", r"\delta_t"]), min_size=1, max_size=4).map(
    " ".join
)
_SUMS = st.lists(_FACTORS, min_size=1, max_size=12).map(" + ".join)


@given(_SUMS, st.floats(min_value=9, max_value=40))
def test_lines_fit_and_nothing_is_lost(text: str, space: float) -> None:
    from derive.notation.parser import parse_one

    formula = parse_one(text).items[0]
    lines = break_formula(formula, space)
    for k, line in enumerate(lines):
        used = sum(sign_width(piece.kind) if isinstance(piece, d.Sign) else width(piece) for piece in line)
        assert used <= space - (STEP if k else 0) + 1e-9
    assert " ".join(_plain(line) for line in lines) == write_plain(formula)


def test_notes_stand_beside_or_below(read_formula: Read) -> None:
    long = read_formula(" + ".join(f"A_{k} B_{k}" for k in range(8)))
    rows = break_rows(
        d.Aligned(
            (
                d.AlignedLine(s.Name("x"), "=", s.Name("y"), d.words("short")),
                d.AlignedLine(None, "=", long, d.words("a long reason " * 6)),
            )
        ),
        30,
    ).rows
    assert [row.note_below for row in rows if row.note] == [False, True]


def test_wide_left_sides_hang(read_formula: Read) -> None:
    wide = read_formula(" + ".join(f"A_{k}" for k in range(8)))
    rows = break_rows(
        d.Aligned((d.AlignedLine(wide, "=", s.Name("y")), d.AlignedLine(s.Name("x"), "=", s.Name("y")))), LINE
    ).rows
    assert [row.hangs for row in rows] == [True, False, False] and rows[1].operator == "="


def test_left_sides_wider_than_the_line_break(read_formula: Read) -> None:
    wide = read_formula(" + ".join(f"A_{{{k}}} B_{{{k}}}" for k in range(20)))
    laid_out = break_rows(d.Aligned((d.AlignedLine(wide, "=", s.Name("y"), d.words("rule")),)), LINE)
    looks = [(row.hangs, row.operator, row.indent) for row in laid_out.rows]
    assert looks[0] == (True, "", 0) and set(looks[1:-1]) == {(True, "", 1)} and looks[-1] == (False, "=", 0)
    assert laid_out.scale == 1 and all(row.sticky for row in laid_out.rows[:-1])
    document = d.Document(d.words("t"), blocks=(d.Aligned((d.AlignedLine(wide, "=", s.Name("y")),)),))
    assert make(document, "x", ("pdf", "html"), "typst").warnings == ()


def test_columns_wider_than_the_line_become_lists(read_formula: Read) -> None:
    entry = " + ".join(f"A_{{{k}}} B_{{{k}}}" for k in range(14))
    column = read_formula(f"\\begin{{pmatrix}} {entry} \\\\ {entry} \\end{{pmatrix}}")
    lines = break_formula(column, 30)
    assert _plain(lines[0]).startswith("[") and _plain(lines[-1]).endswith("]")
    assert sum(piece == d.Sign(";") for line in lines for piece in line) == 1 and len(lines) >= 3


def test_short_derivations_stay_on_a_page_and_long_ones_break_inside(read_formula: Read) -> None:
    lines = tuple(d.AlignedLine(None, "=", s.Name(letter)) for letter in "abcdefghij")
    assert [row.sticky for row in break_rows(d.Aligned(lines[:4]), LINE).rows] == [True, True, True, False]
    assert [row.sticky for row in break_rows(d.Aligned(lines), LINE).rows] == [True, *[False] * 7, True, False]
    named = [replace(line, lhs=s.Name("z")) if k % 3 == 0 else line for k, line in enumerate(lines)]
    sticky = [row.sticky for row in break_rows(d.Aligned(tuple(named)), LINE).rows]
    assert sticky == [True, False, False, True, False, False, True, False, True, False]


@pytest.mark.parametrize(
    ("route", "rows", "counts"), [("tex", 3, (16, 17, 18, 19)), ("typst", 3, (16, 17, 18, 19)), ("tex", 18, (9,))]
)
def test_a_footer_stands_on_the_page_of_its_formula(
    tmp_path: Path, route: str, rows: int, counts: tuple[int, ...]
) -> None:
    """Wherever the page ends, the sentence about a derivation follows its last line."""
    if route == "tex" and tex_program() is None:
        pytest.skip("pdflatex is not installed")
    if which("pdftotext") is None:
        pytest.skip("pdftotext is not installed")
    letters = "ghijklmnopqrstuvwxyz"[-rows:]
    formula = d.Aligned(
        tuple(d.AlignedLine(None, "=", s.Name(letter)) for letter in letters), d.words("measured below")
    )
    paragraph = d.Paragraph(d.words("filling words " * 12))
    for count in counts:
        pdf = tmp_path / f"{route}{count}.pdf"
        document = d.Document(
            d.words("t"), blocks=(*(paragraph,) * count, d.Paragraph(d.words("leading sentence")), formula)
        )
        pdf.write_bytes(make(document, "x", ("pdf",), route).contents["x.pdf"])
        pages = subprocess.run(
            ["pdftotext", "-layout", str(pdf), "-"], capture_output=True, text=True, check=True
        ).stdout.split("\f")
        (page,) = [unicodedata.normalize("NFKC", page) for page in pages if "measured below" in page]
        assert re.search(r"=\s*z", page) and ("leading sentence" in page or rows > 3)


def test_short_callouts_are_kept_whole(read_formula: Read) -> None:
    few, many = (d.Callout("result", (), (d.Paragraph(d.words("words " * count)),)) for count in (10, 400))
    assert [
        block.whole
        for block in lay_out(d.Document(d.words("t"), blocks=(few, many))).blocks
        if isinstance(block, d.Callout)
    ] == [True, False]


def test_columns_that_fit_keep_their_width() -> None:
    long = d.words("many words that need a whole line of their own and then some more of it " * 2)
    (table,) = lay_out(
        d.Document(d.words("t"), blocks=(d.Table((d.words("a"), d.words("b")), ((d.words("short"), long),)),))
    ).blocks
    assert isinstance(table, d.Table) and table.shares[0] == 0 < table.shares[1]


def test_smaller_letters_are_the_last_resort(read_formula: Read) -> None:
    entry = " h_t" * 11
    matrix = read_formula(
        f"\\begin{{pmatrix}} {entry} & {entry} & {entry} & {entry} \\\\ a & b & c & d \\end{{pmatrix}}"
    )
    assert LINE < width(matrix) + INDENT + RELATION_WIDTH < LINE / 0.8
    assert break_rows(d.Aligned((d.AlignedLine(None, "=", matrix),)), LINE).scale < 1
    assert break_rows(d.Aligned((d.AlignedLine(None, "=", s.Name("y")),)), LINE).scale == 1


def test_displays_are_broken_only_if_too_wide(read_formula: Read) -> None:
    short, long = (
        read_formula("a = b"),
        read_formula("a = " + " + ".join(f"A_{{{k}}} B_{{{k}}} C_{{{k}}}" for k in range(20))),
    )
    first, second = lay_out(d.Document(d.words("t"), blocks=(d.Display(short), d.Display(long)))).blocks
    assert isinstance(first, d.Display)
    assert isinstance(second, d.Rows) and second.rows[0].left == s.Name("a") and second.rows[0].operator == "="


def test_lines_are_shorter_inside_callouts_and_lists(read_formula: Read) -> None:
    formula = read_formula(" + ".join(f"A_{{{k}}}" for k in range(15)))
    assert width(formula) + INDENT < LINE
    inner = d.Display(formula)
    nested = d.BulletList(((d.Callout("answer", (), (d.BulletList(((inner,),)),)),),))
    whole, deep = lay_out(d.Document(d.words("t"), blocks=(inner, nested))).blocks
    assert isinstance(whole, d.Display)
    assert any(isinstance(block, d.Rows) for block in walk.all_blocks((deep,)))


def test_tables_share_the_line() -> None:
    long = d.words("many words that need a whole line of their own and then some more of it " * 2)
    (narrow, wide) = lay_out(
        d.Document(
            d.words("t"),
            blocks=(
                d.Table((d.words("a"),), ((d.words("b"),),)),
                d.Table((d.words("a"), d.words("b")), ((d.words("x"), long),)),
            ),
        )
    ).blocks
    assert isinstance(narrow, d.Table) and narrow.shares == (0.0,)
    assert isinstance(wide, d.Table) and wide.shares[0] < 0.1 < wide.shares[1] and sum(wide.shares) <= 1


def test_long_headers_leave_room_for_long_text() -> None:
    header = map(d.words, ("sentence", "integrated gradients", "gradient times input", "gradient norm"))
    row = map(d.words, ("some words of a text " * 6, "0.046", "1.767", "2.350"))
    (table,) = lay_out(d.Document(d.words("t"), blocks=(d.Table(tuple(header), (tuple(row),)),))).blocks
    assert isinstance(table, d.Table)
    assert table.shares[0] > 2 * max(table.shares[1:]) > 0 and sum(table.shares) <= 1


def test_short_rows_are_filled_up() -> None:
    (table,) = lay_out(
        d.Document(d.words("t"), blocks=(d.Table((d.words("a"),), ((d.words("b"), d.words("c")), ())),))
    ).blocks
    assert isinstance(table, d.Table)
    assert {len(row) for row in (table.header, *table.rows)} == {2} and table.alignments == ("left", "left")


def test_captions_are_numbered_through(make_everything: Callable[..., d.Document]) -> None:
    document = make_everything()
    doubled = d.Document(document.title, blocks=document.blocks * 2)
    blocks = list(walk.all_blocks(lay_out(doubled).blocks))
    assert [block.number for block in blocks if isinstance(block, d.Figure)] == [1, 2, 3, 4]
    assert [block.number for block in blocks if isinstance(block, d.Table)] == [1, 2]


def test_too_deep_nesting_is_refused() -> None:
    block: d.Block = d.Paragraph(d.words("x"))
    for _ in range(5):
        block = d.Quote((block,))
    with pytest.raises(RenderError, match="nested more than"):
        lay_out(d.Document(d.words("t"), blocks=(block,)))


def _nested(kind: type[d.BulletList] | type[d.NumberedList], depth: int) -> d.Block:
    block: d.Block = d.Paragraph(d.words("x"))
    for _ in range(depth):
        block = kind(((block,),))
    return block


@pytest.mark.usefixtures("tex")
@pytest.mark.parametrize("kind", [d.BulletList, d.NumberedList])
def test_latex_takes_the_deepest_nesting(kind: type[d.BulletList] | type[d.NumberedList]) -> None:
    document = d.Document(
        d.words("t"), blocks=(d.Callout("answer", (), (_nested(kind, MAX_NESTING - 1),)), _nested(kind, MAX_NESTING))
    )
    assert make(document, "x", ("pdf",), "tex").contents["x.pdf"].startswith(b"%PDF-")


def test_what_is_empty_is_not_shown() -> None:
    empty: d.Blocks = (d.BulletList(()), d.NumberedList(()), d.Aligned(()), d.Table((), ()))
    assert lay_out(d.Document(d.words("t"), blocks=(*empty, d.Quote(empty)))).blocks == (d.Quote(()),)
