"""A derivation that autograd contradicts stops the build of a sheet: one clear error, exit code 2, nothing written."""

from __future__ import annotations

from pathlib import Path

import pytest

from bptt.cli import main
from derive import expressions as e
from derive.expressions.node import Node

SHEET = """---
title: A sheet
---

```bptt cell
name: rnn
---
h_t = \\tanh(W h_{t-1} + U x_t)
```

```bptt jacobian
cell: rnn
of: h_t
wrt: h_{t-1}
```

```bptt gradient
cell: rnn
wrt: U
```
"""


def _wrong_slope(self: e.Apply, cotangent: Node) -> tuple[Node | None, ...]:
    """A planted error: the adjoint of f(x) forgets f'(x)."""
    return (cotangent,)


def _wrong_tangent(self: e.Apply, tangents: tuple[Node | None, ...]) -> Node | None:
    """A planted error: the tangent of f(x) takes f in the place of f'."""
    return None if tangents[0] is None else e.make.hadamard(self, tangents[0])


@pytest.mark.parametrize(("rule", "wrong"), [("vjp", _wrong_slope), ("jvp", _wrong_tangent)])
def test_a_wrong_rule_stops_the_sheet(
    rule: str, wrong: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = tmp_path / "sheet.md", tmp_path / "out"
    source.write_text(SHEET, encoding="utf-8")
    monkeypatch.setattr(e.Apply, rule, wrong)
    assert main(["sheet", str(source), "-o", str(out)]) == 2
    said = capsys.readouterr().err
    assert "disagrees with autograd" in said and "sheet.md" in said
    assert not out.exists() or not list(out.iterdir())
