"""The gradient of the last state by the tokens of a text."""

from __future__ import annotations

import pytest

from derive.errors import BpttError
from derive.notation.source import Source
from reports import document as d
from reports.blocks import REGISTRY, SheetContext
from reports.markdown import read_markdown
from reports.plot import Plot, draw_svg


def plot(
    body: str = "RNN: rnn\nLSTM: lstm", text: str = "The dog's tail: it costs $5 and $6, the dog ...", more: str = ""
) -> Plot:
    source = Source(f"```bptt input-gradients\ntext: {text}\nsize: 4\ndraws: 3\n{more}---\n{body}\n```\n", "s.md")
    (figure,) = read_markdown(source, REGISTRY, SheetContext()).blocks
    assert isinstance(figure, d.Figure) and isinstance(figure.content, Plot)
    return figure.content


def test_every_token_has_its_place() -> None:
    found = plot()
    assert found.x_names == (
        "The", "dog's", "tail", ":", "it", "costs", "$", "5", "and", "$", "6", ",", "the", "dog", ".", ".", ".",
    )  # fmt: skip
    assert [series.name for series in found.series] == ["RNN", "LSTM"]
    assert all(series.x == tuple(range(1, 18)) for series in found.series)
    assert "<svg" in draw_svg(found)


def test_plain_networks_forget_faster() -> None:
    rnn, lstm = plot(text="one two three four five six seven eight nine ten eleven twelve " * 3, more="").series
    assert rnn.y[0] / rnn.y[-1] < lstm.y[0] / lstm.y[-1]


@pytest.mark.parametrize(
    ("options", "said"),
    [({"body": "rnn"}, "no cell"), ({"body": "a: nothing"}, "no cell called"), ({"text": "word"}, "1 tokens"), ({"text": "a " * 200}, "200 tokens")],
)  # fmt: skip
def test_slips(options: dict[str, str], said: str) -> None:
    with pytest.raises(BpttError, match=said):
        plot(**options)
