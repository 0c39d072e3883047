"""The library of published cells: what every file says about itself, and that its gradients stay readable."""

from __future__ import annotations

import re

import pytest

from derive.cell import cell, library

WANTED = {
    "elman", "jordan", "logistic", "irnn", "leaky-echo-state", "ctrnn", "multiplicative-rnn", "clockwork", "scrn", "lstm-1997",
    "lstm", "lstm-peephole", "lstm-coupled", "lstm-projected", "lstm-multiplicative", "janet", "gru", "gru-reset-before", "mgu",
    "ugrnn", "minimal-rnn", "fastgrnn", "sru", "qrnn", "indrnn", "antisymmetric-rnn", "lipschitz-rnn", "cayley-rnn", "lmu", "lru",
    "s4d", "mamba", "mingru", "minlstm", "linear-attention", "retnet", "gated-linear-attention", "rwkv-4", "deltanet", "mlstm",
    "slstm", "hopfield", "tree-lstm", "tree-lstm-binary", "recursive",
}  # fmt: skip


def test_the_library_holds_what_people_look_for() -> None:
    assert set(library()) >= WANTED and len(library()) >= 59


@pytest.mark.parametrize("name", library())
def test_a_file_says_where_it_comes_from(name: str) -> None:
    subject = cell(name)
    assert subject.title
    assert re.search(r"\b(19|20)\d\d\b", subject.citation)
    assert re.fullmatch(r"doi:10\.\d{4,}/\S+|arXiv:\d{4}\.\d{4,5}", subject.identifier)
    assert subject.parameters or subject.inputs


@pytest.mark.parametrize("name", library())
def test_no_line_is_longer_than_a_page(name: str) -> None:
    for step in cell(name).gradients().steps:
        assert len(str(step)) < 600, str(step)
