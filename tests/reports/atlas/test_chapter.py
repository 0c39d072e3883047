"""What a chapter says of its cell."""

from __future__ import annotations

import pytest

from derive.cell import Cell, cell
from derive.errors import ValidationError
from reports import document as d
from reports import walk
from reports.atlas.chapter import chapter


def headings(blocks: d.Blocks) -> list[str]:
    return [walk.plain_text(block.body) for block in blocks if isinstance(block, d.Heading)]


def test_a_chapter_has_all_its_parts() -> None:
    found = chapter("lstm", cell("lstm"), draws=3)
    assert headings(found.blocks) == [
        "Long short-term memory with forget gate",
        "One-step Jacobian",
        "Adjoint recursion and gradients",
        "Over many steps",
    ]
    assert sum(isinstance(block, d.Figure) for block in found.blocks) == 2
    assert 0 < found.error < 1e-10
    links = [
        piece.url
        for block in found.blocks
        for text in walk.sentences(block)
        for piece in text
        if isinstance(piece, d.Link)
    ]
    assert links == ["https://doi.org/10.1162/089976600300015015"]


def test_a_cell_that_reads_the_future_has_no_joint_jacobian() -> None:
    found = chapter("bidirectional-rnn", cell("bidirectional-rnn"), draws=2)
    assert headings(found.blocks)[1:] == ["Adjoint recursion and gradients"]


def test_matrix_states_are_stacked() -> None:
    found = chapter("linear-attention", cell("linear-attention"), draws=2)
    assert any(
        "stacked by columns" in walk.plain_text(text) for block in found.blocks for text in walk.sentences(block)
    )


def test_a_cell_without_a_citation() -> None:
    subject = Cell.from_text("h_t = \\tanh(W h_{t-1} + U x_t)")
    found = chapter("mine", subject, draws=2)
    assert found.title == "mine" and found.citation == ""


def test_a_wrong_derivation_stops_the_chapter(monkeypatch: pytest.MonkeyPatch) -> None:
    from derive.adjoint import AdjointEngine
    from derive.expressions import make

    real = AdjointEngine.per_step
    monkeypatch.setattr(
        AdjointEngine, "per_step", lambda self, key: make.neg(found) if (found := real(self, key)) else found
    )
    with pytest.raises(ValidationError):
        chapter("rnn", cell("rnn"), draws=2)
