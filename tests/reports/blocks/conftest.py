"""What the tests of the blocks share: a sheet built from text."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from derive.notation.source import Source
from reports.blocks import REGISTRY, SheetContext
from reports.document import Document
from reports.markdown import read_markdown

Build = Callable[..., Document]

CELLS = r"""
```bptt cell
name: rnn
show: no
---
h_t = \sigma(W h_{t-1} + U x_t)
L = \sum_{t=0}^{T} L_t(h_t)
```

```bptt cell
name: layer
show: no
---
y = \sigma(W x)
y \in \mathbb{R}^{n}, x \in \mathbb{R}^{d}
```
"""


@pytest.fixture
def build() -> Build:
    """Builds a sheet that knows the cells ``rnn`` and ``layer``."""

    def built(text: str, context: SheetContext | None = None) -> Document:
        return read_markdown(Source(CELLS + text, "sheet.md"), REGISTRY, context or SheetContext(draws=2))

    return built
