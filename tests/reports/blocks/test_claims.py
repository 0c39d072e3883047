"""Claims: what is found must be what is expected, and the findings say how it was found."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from derive.errors import BpttError, ValidationError
from derive.notation.write_plain import write_plain
from reports.document import Aligned, Callout, Document, Paragraph
from reports.walk import all_blocks, plain_text, sentences

Build = Callable[..., Document]

DOUBLE_SUM = r"\frac{\partial L}{\partial W} = \sum_{t=0}^{T} \sum_{k=1}^{t} \frac{\partial L_t}{\partial h_t} \frac{\partial h_t}{\partial h_k} \frac{\partial h_k}{\partial W}"


def claim(**options: str) -> str:
    given = {"place": "1 (a)", "cell": "rnn", "expect": "correct", "draws": "3", **options}
    return (
        "```bptt claim\n"
        + "".join(f"{key.replace('_', '-')}: {value}\n" for key, value in given.items() if value)
        + "```\n\n"
    )


def finding(build: Build, **options: str) -> tuple[str, str]:
    """The title and all sentences of the one finding."""
    document = build(claim(**options) + "```bptt findings\nsummary: no\n```\n")
    (callout,) = [block for block in document.blocks if isinstance(block, Callout)]
    return plain_text(callout.title), " | ".join(plain_text(sentence) for sentence in list(sentences(callout))[1:])


def test_a_true_formula(build: Build) -> None:
    title, said = finding(build, says=r"\frac{\partial h_t}{\partial h_{t-1}} = \operatorname{diag}(\sigma'(z_t)) W")
    assert title == "1 (a): holds" and "Proved, for all sizes and all T." in said
    title, said = finding(build, says=r"\nabla_{h_{t-1}} L_t = W^\top (\sigma'(z_t) \odot \nabla_{h_t} L_t)")
    assert title == "1 (a): holds" and "The two sides agree at" in said and "points of 3 draws" in said


def test_a_formula_that_needs_its_reading_is_not_just_called_true(build: Build) -> None:
    title, said = finding(build, says=DOUBLE_SUM)
    assert title == "1 (a): holds in one reading"
    assert "As it stands: the two sides differ at all 3 points of 3 draws" in said
    assert "Read with the immediate derivative of the state by the parameter: the two sides agree" in said


def test_a_false_formula_with_its_correction(build: Build) -> None:
    title, said = finding(
        build, expect="wrong", says=r"\frac{\partial h_t}{\partial h_{t-1}} = W \operatorname{diag}(\sigma'(z_t))",
        holds=r"\frac{\partial h_t}{\partial h_{t-1}} = \operatorname{diag}(\sigma'(z_t)) W", note="Exchanged.",
    )  # fmt: skip
    assert (
        title == "1 (a): false" and "% in the median" in said and "What holds:" in said and said.endswith("Exchanged.")
    )


def test_what_the_source_does_not_print_is_marked(build: Build) -> None:
    title, _ = finding(build, reading=r"h_t = \sigma(W h_{t-1} + U x_t)", expect="definition")
    assert title == "1 (a), our reading: a definition"


def test_definitions_and_proofs_are_not_called_tested(build: Build) -> None:
    _, said = finding(build, says=r"h_t = \sigma(W h_{t-1} + U x_t)", expect="definition")
    assert "points" not in said
    _, said = finding(build, cell="layer", says=r"\frac{\partial y}{\partial x} \in \mathbb{R}^{n \times d}")
    assert "Proved" in said and "points" not in said
    _, said = finding(build, cell="", says=r"2 \cdot 3 = 6")
    assert "Computed exactly" in said


def test_a_special_case_is_checked(build: Build) -> None:
    text = r"\frac{\partial h_t}{\partial h_k} = (\operatorname{diag}(\sigma'(z_t)) W)^{t-k}"
    title, said = finding(build, reading=text, expect="special case", case="k = t-1", draws="6")
    assert title.endswith("only in a special case") and "It holds for k = t - 1." in said
    with pytest.raises(ValidationError, match="either"):
        finding(build, reading=text, expect="special case", case="k = t-2", draws="6")
    commuting = r"\frac{\partial h_t}{\partial h_{t-1}} = W \operatorname{diag}(\sigma'(z_t))"
    assert "holds for n = 1" in finding(build, says=commuting, expect="special case", case="n = 1")[1]


def test_an_unreadable_formula_with_a_reading(build: Build) -> None:
    title, said = finding(
        build, says=r"h_t = \sigma(W h_{t-1} + U x_t", reading=r"h_t = \sigma(W h_{t-1} + U x_t)", expect="definition"
    )
    assert (
        title == "1 (a): a definition"
        and "As printed it cannot be read: ( is never closed." in said
        and "Read as" in said
    )
    assert finding(build, says=r"h_t = \sigma(W h_{t-1} + U x_t", expect="unreadable")[0] == "1 (a): cannot be read"


def test_a_formula_whose_operands_do_not_conform(build: Build) -> None:
    _, said = finding(build, says="h_t = W x_t", expect="wrong")
    assert "It has no meaning: the product does not conform: W is a matrix of shape n × n" in said


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"says": r"h_t = \sigma(W h_{t-1} + U x_t)", "expect": "wrong"}, "expects 'wrong'"),
        ({"says": "h_t = x_t", "expect": "correct"}, "found wrong"),
        ({"says": "h_t = z_t", "expect": "definition"}, "found wrong"),
        ({"says": "h_t = z_t", "expect": "wrong", "holds": "h_t = 2 z_t"}, "correction does not hold"),
        ({"expect": "correct"}, "no formula"),
        ({"says": "h_t = z_t", "expect": "special case"}, "case goes with"),
        ({"says": "h_t = z_t", "expect": "special case", "case": "often"}, "case is 'often'"),
        ({"says": "h_t = z_t", "expect": "maybe"}, "expect is 'maybe'"),
        ({"cell": "layer", "says": r"\frac{\partial y}{\partial x} \in \mathbb{R}^{d \times n}"}, "found wrong"),
    ],
)
def test_what_does_not_fit_stops_the_build(build: Build, options: dict[str, str], says: str) -> None:
    with pytest.raises(BpttError, match=says):
        finding(build, **options)


def test_the_summary_counts(build: Build) -> None:
    text = claim(says=DOUBLE_SUM) + claim(says="h_t = z_t", expect="wrong")
    document = build(text + claim(reading=r"\sigma(z_t) = h_t", expect="definition") + "```bptt findings\n```\n")
    first = next(block for block in document.blocks if isinstance(block, Paragraph))
    assert plain_text(first.body).startswith(
        "Of 3 formulas, 1 holds (1 of them in one of its readings only), 1 is a definition and 1 is false."
    )


def test_sizes_of_several_quantities(build: Build) -> None:
    assert finding(
        build,
        cell="layer",
        says=r"y \in \mathbb{R}^{n}, x \in \mathbb{R}^{d}, W \in R^{n \times d}",
        expect="definition",
    )[0].endswith("a definition")
    with pytest.raises(ValidationError):
        finding(build, cell="layer", says=r"y \in \mathbb{R}^{n}, x \in \mathbb{R}^{n}", expect="definition")


def test_the_formula_is_printed_as_the_source_has_it(build: Build) -> None:
    document = build(
        claim(cell="layer", says=r"\frac{\partial y}{\partial x} = \operatorname{diag}(\sigma') W")
        + "```bptt findings\n```\n"
    )
    (formula,) = [block for block in all_blocks(document.blocks) if isinstance(block, Aligned)]
    assert write_plain(formula.lines[0].rhs) == "diag(sigma') W"


def test_a_bound_is_not_called_equal(build: Build) -> None:
    bound = r"\lVert \frac{\partial h_t}{\partial h_k} \rVert \le (\frac{1}{4} \lVert W \rVert)^{t-k}"
    title, said = finding(build, says=bound)
    assert title == "1 (a): holds" and "The bound holds at" in said and "equal" not in said
