"""What a document says of names: definitions, numbers, aliases."""

from __future__ import annotations

from random import Random

from benchmarks.fuzz.cases import Case
from benchmarks.fuzz.changes import page, shown
from benchmarks.fuzz.pieces import NUMBERS, ROW, listed
from benchmarks.fuzz.texts import CELLS, LSTM, READOUT, RNN, ROWS, SCALAR

_LEFTS = listed(
    r"a_t  b_t  g_t  q  R  h_t  W  \delta_t  p_t  s  z_t  T  t  x_t  L  L_t  f(t)  g_{t,k}  u^t  \alpha  g_{t+1}  g_T"
)
_RIGHTS = (
    *_LEFTS,
    *listed(
        r"""
        a_{t+1}  b_{t-1}  g_0  g_{T+1}  1  0  \frac{\partial L}{\partial a_t}  \nabla_{b_t} L
        \frac{\partial g_t}{\partial h_t}  h_{t-1}  \sum_{k=1}^t g_k  \tanh(g_t)  W a_t  g_{99}  g_{t+99999}  g_{2t}
        g_{-t}  g_{g_t}  \prod_{k=1}^t a_k  \nabla_{h_t} L  W^\top g_{t+1}  (1 - h_t^2) \odot g_t  g_k  a_{t-k}
        b_{\max(t,k)}  \sum_{k=t}^{T} g_{k+1}  \frac{\partial h_t}{\partial g_t}
        """
    ),
)


def definitions(random: Random) -> Case:
    """Names that are made of each other, of themselves, or of the cell's."""
    lines = []
    for _ in range(random.choice((1, 2, 3, 6, 12))):
        left = random.choice(_LEFTS if random.random() < 0.9 else _RIGHTS)
        sign = random.choice((" + ", " ", " \\odot ", " - "))
        right = sign.join(random.choice(_RIGHTS) for _ in range(random.choice((1, 1, 2, 3))))
        lines.append(f"{left} {random.choice(('=', '=', '=', ':=', chr(92) + 'equiv'))} {right}")
    words = random.choice(("Let ", "where ", "Define ", "", "We set "))
    return Case("", words + f" {words}".join(shown(random, line) for line in lines), random.choice((*CELLS[:5], None)))


_GIVEN = listed("W  U  b  x_1  x_2  h_0  V  w  u  T  y_1  y_2  x_0  x_{-1}  h_1  c  x_{T}  x_3")
_ASKED = listed(
    r"h_1  h_2  y_1  L  h_T  W h_0  h_1 + h_2  h_9  h_{-1}  \delta_1  \nabla_W L  g_1  h_t  x_1  \lVert h_1 \rVert"
)


def _array(random: Random, size: int) -> str:
    """A number, or a matrix whose sizes mostly fit those of others."""
    pool = (*("0.5", "1", "0", "2", "-1"), *((*NUMBERS, "1e10", "1e300") if random.random() < 0.2 else ()))
    if random.random() < 0.15:
        return random.choice(pool)
    rows, columns = (
        random.choice((size, size, size, size, 1, 3, 40)) if random.random() < 0.3 else size for _ in range(2)
    )
    columns = random.choice((1, columns))
    lines = [" & ".join(random.choice(pool) for _ in range(columns)) for _ in range(rows)]
    return f"\\begin{{pmatrix}} {ROW.join(lines)} \\end{{pmatrix}}"


def values(random: Random) -> Case:
    """Numbers that are given to quantities, with sizes that fit or do not."""
    size, lengths = random.choice((1, 2, 2, 3)), ("1", "2", "3", "0", "-1", "1000000", "0.5", "99999999999")
    lines = []
    for name in (*_GIVEN[:7], "T") if random.random() < 0.5 else random.sample(_GIVEN, random.randint(2, 14)):
        lines.append(f"{name} = {random.choice(lengths) if name == 'T' else _array(random, size)}")
    for _ in range(random.randint(1, 3)):
        lines.append(
            f"{random.choice(_ASKED)} {random.choice(('=', chr(92) + 'approx', ':=', '<'))} {_array(random, size)}"
        )
    return Case("", page(random, lines), random.choice((RNN, RNN, READOUT, SCALAR, SCALAR, ROWS, "h_t = W h_{t-1}")))


def aliases(random: Random) -> Case:
    """Aliases in cycles, of nothing, or with hostile texts."""
    names = listed(r"g_t  a_t  q_t  s  R")
    good = listed(
        r"g_t  a_t  q_t  \delta_t  \nabla_{h_t} L  g_{t+1}  h_{t-1} + g_t  \tanh(a_{t-1})  W a_t  R  1e300 h_t"
    )
    bad = (*listed(r"h_t  W  =  1  \x  T  x_1  ((((  \input{x}  h_t = h_t  1e999  W W W"), "", "\x00", "\ud800")
    safe = random.random() < 0.7
    given = tuple(
        f"{random.choice(names if safe else (*names, *bad))}{'=' if safe else random.choice(('=', '', '=='))}"
        f"{random.choice(good if safe else bad)}"
        for _ in range(random.randint(1, 4))
    )
    text = page(random, [f"{random.choice(names)} = {random.choice(good)}" for _ in range(2)])
    return Case("", text, random.choice((RNN, RNN, LSTM, None)), aliases=given)
