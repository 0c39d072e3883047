"""What is large: matrices, nesting, very many pieces, long texts."""

from __future__ import annotations

from random import Random

from benchmarks.fuzz.cases import Case
from benchmarks.fuzz.changes import page, shown
from benchmarks.fuzz.pieces import NUMBERS, ROW, listed
from benchmarks.fuzz.texts import CELLS, RNN

_MATRICES = listed(
    r"""
    M = M  W = M  x_1 = M  M^{-1} = M  M^2 = M  M^{50} = M  M M = M  \lVert M \rVert = 1  \det M = 0  M^\top M = I
    \tanh(M) = M  M h_t = h_t  \operatorname{tr}(M) = 3  M = 0  M + 1 = M  \frac{1}{M} = M  \exp(M) \approx M  M \le M
    h_t = M  \frac{M}{M} = M  \lVert M \rVert_F \ge 2  M^{1/2} = M  M \odot M = M  \operatorname{diag}(M) = M
    M M^{-1} = I  \mathbf{1}^\top M = 1  M \otimes M = M
    """
)


def matrices(random: Random) -> Case:
    """Matrices that are large, ragged, empty or nested, and claims about them."""
    rows = random.choice((0, 1, 1, 2, 2, 2, 3, 3, 3, 4, 5, 8, 8, 12, 30, random.choice((30, 200))))
    columns = random.choice((1, 2, 3, rows, rows, rows, 50)) or 1
    filling = (
        "1 2 0",
        "0.5 1",
        "h_t W",
        "\\frac{1}{3} \\sqrt{2}",
        "1e9 1e-9",
        "1 \\exp(1)",
        "\\sqrt{2} \\sqrt{3} \\tanh(1)",
    )
    entries = random.choice([*(text.split() for text in filling), NUMBERS, ("", "1")])
    ragged = random.random() < 0.1
    lines = [
        " & ".join(random.choice(entries) for _ in range(columns + (ragged and random.random() < 0.5)))
        for _ in range(rows)
    ]
    kind = random.choice(listed("pmatrix  pmatrix  bmatrix  matrix  vmatrix  array  cases  smallmatrix"))
    columns_of = "{cc}" if kind == "array" else ""
    matrix = f"\\begin{{{kind}}}{columns_of} {ROW.join(lines)} \\end{{{kind}}}"
    more = [f"h_1 = {matrix}"] if random.random() < 0.3 else []
    return Case("", page(random, [random.choice(_MATRICES).replace("M", matrix), *more]), RNN)


_NESTED = listed(
    r"""
    (|)  {|}  [|]  \left(|\right)  \frac{|}{2}  \sqrt{|}  -|  h_{|}  h^{|}  W^{|}  \tanh(|)  \lVert | \rVert  \hat{|}
    \sum_{t=1}^{T} |  \sum_{t=1}^{2} |  \begin{pmatrix}|\end{pmatrix}  \begin{align}|\end{align}  2^|
    \prod_{k=1}^{t} |  \operatorname{diag}(|)  \frac{\partial |}{\partial h_t}  \nabla_{|} L  (h_t + |)  (W |)
    h_t \odot (|)  \underbrace{|}_{a}  \mathrm{|}  \text{|}  1/(|)  h_t^{|}  (|)^2  (|)^\top  \frac{1}{|}  \exp(|)
    \sum_{k=1}^{|} 1  \prod_{k=1}^{|} W  \max(1, |)  2^{|}  (1 + |)^2  \begin{cases}|\end{cases}  \left\{|\right\}
    \lvert | \rvert  (|)^{-1}  \tanh'(|)  \log(|)  h_{t + |}
    """
)


def deep(random: Random) -> Case:
    """Nesting without end, or without closing."""
    depth = random.choice((5, 10, 20, 40, 60, 140, 160, 390, 410, 3000, 30_000))
    opening, closing = random.choice(_NESTED).split("|")
    inner = random.choice(("h_t", "W", "1", "", "2", "x_t", "t"))
    closed = depth if random.random() < 0.7 else random.randint(0, depth)
    text = f"{random.choice(('h_t', '1', 'W'))} = {opening * depth}{inner}{closing * closed}"
    return Case("", shown(random, text), random.choice(CELLS[:4]))


_REPEATED = listed(
    r"""
    $$1=1$$|  $$h_t = 1$$ |  \newcommand{\a}{1}|$$\a=1$$  $|  \[|  \(|  \begin{align}|  `|  ```math |  {|$$1=1$$
    % x |$$1=2$$  \def\a{|  \begin{|  a |$$1=2$$  \verb+|  ~~~ |  \verb+x+|  \end{align}|  \right)|$$1=1$$  - x |  \\|
    &|  #|  %|  $$ |
    """
)
_JOINED = listed(
    r"""
    h_t! = !  h_t = !h_t + !1  h_t = !W !h_t  h_t = !W!h_t  \begin{align}!1 &= 1 \\ !1 &= 2\end{align}
    !h_t = h_t, !1 = 1  h_t = h_{t-1}! \le h_t!  !{!h_t = h_t  h_t = !x!  h_t = h_t \text{!y!}  h_t = h!'!
    h_t = h_!{t!  !\sum_{t=1}^T !h_t = 1  !h_t \odot !h_t = h_t  !(h_t + x_t) \odot !1 = h_t  h_t = !(W + U)!h_t
    !(1 + h_t)^{9} \odot !h_t = 1  h_{t!+1!} = h_t  h_{t!-1!} = W  h_t = !\tanh(W !h_{t-1}  1! = 1!  1! \le 1!
    1 = !1 + !1  1 = !2 \cdot !3  h_t = !(1 + h_t)!  h_t! = h_t + 1!  \begin{pmatrix}!1 & !1\end{pmatrix} = 1
    \begin{pmatrix}!1 \\ !1\end{pmatrix} = h_t  1 = !\sqrt{2} + !\sqrt{3}  1 = !(1 + \sqrt{2}) !1  1 = !\exp(1) !1
    \sum_{t=1}^T! \sum_{k=1}^t! h_k = h_t  \prod_{k=1}^t !(W + I)! = W
    """
)


def many(random: Random) -> Case:
    """Very many equations, links, names, factors or summands."""
    count = random.choice((10, 50, 300, 300, 2001, 5000))
    kind = random.randrange(5)
    if kind == 0:
        piece, after = random.choice(_REPEATED).split("|")
        return Case("", piece.replace(" ", "\n") * count + after, RNN)
    if kind == 1:
        few = min(count, 40)
        text = random.choice(
            ("Let $$g^{{({0})}}_t = h_t$$ ", "$$a_{{{0}}} = a_{{{1}}}$$ ", "$$p^{0}_t = p^{1}_t + h_t$$ ")
        )
        return Case("", "".join(text.format(k, k + 1) for k in range(few)), RNN)
    before, piece, after = random.choice(_JOINED).split("!")
    return Case("", f"$${before}{piece * count}{after}$$", RNN)


_LARGE = listed(
    r"""
    a  $  \  {  $$h_t = 1$$ words  `  % x_  \verb|  \begin{align}  \def\a{1}  h_t = h_t_  \[  $x$  ```_  >
    \newcommand{\a}[1]{#1}  %  - x_  \a  =  h_t = W \\  \(  (  $$x_  \begin{verbatim}  \\  &  #  ^  '  \left(  1+  $$1
    \text{  \a{  \frac  \newcommand  \b  -_  ~  [
    """
)


def large(random: Random) -> Case:
    """Texts of up to a megabyte."""
    size, piece = random.choice((50_000, 300_000, 999_000)), random.choice((*_LARGE, "\n", "\ud800", "\u0301", " "))
    piece = f"{piece[:-1]}\n" if piece.endswith("_") else piece
    before = random.choice(
        ("", "$$", "\\begin{align}", "\\newcommand{\\a}{b}", "# x\n", "\\newcommand{\\a}[1]{#1 #1}", "$")
    )
    return Case("", before + piece * (size // len(piece)), RNN)
