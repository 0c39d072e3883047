"""Cells that are damaged, and documents that are their own cell."""

from __future__ import annotations

from random import Random

from benchmarks.fuzz.cases import Case
from benchmarks.fuzz.changes import mutated, page, retold
from benchmarks.fuzz.expressions import conforming
from benchmarks.fuzz.pieces import WORDS, listed
from benchmarks.fuzz.texts import CELLS, TRUE

_BAD_CELLS = tuple(
    text.replace(" ; ", "\n")
    for text in listed(
        r"""
        h_t = h_t  h_t = h_{t+1} + h_{t-1}  h_t = 1  =  h = h  W = W  T = T  L = L  h_t = h_{t-100}  h_t = h_{t-99999}
        x_t = x_t + 1  h_t = x_{t-1}^{99999}  h_t = \sum_{k=1}^{t} h_k  h_t = \sum_{k=1}^{1000000000} h_{t-1}
        h_t = W^{999} h_{t-1}  h_t = W h_{t-1} ; h_t \in \mathbb{R}^{1000000}
        h_t = W h_{t-1} ; h_t \in \mathbb{R}^{500}  h_t = W h_{t-1} ; h_t \in \mathbb{R}^{0}
        h_t = W h_{t-1} ; h_t \in \mathbb{R}^{-3}  h_t = W h_{t-1} ; h_t \in \mathbb{R}^{n^n}
        h_t = W h_{t-1} ; h_t \in \mathbb{R}^{60}  h_t = \tanh(W h_{t-1}) / 0  h_t = \exp(\exp(\exp(h_{t-1} + 99)))
        h_t = 1e300 h_{t-1}  h_t = h_{t-1}^{50}  h_t = \frac{1}{h_{t-1}}  h_t = \log(h_{t-1})  h_t = W^{-1} h_{t-1}
        h_t = a_t, a_t = h_t  h_t = a_t ; a_t = h_{t-1}  h_t = W h_{t-1} ; 0 < W < 0  h_t = W h_{t-1} ; 1 < W < 0
        h_t = w h_{t-1} ; 0 < w < 1e-300  h_t = W h_{t-1} + c ; L = \sum_{t=1}^{1000000000} L_t(h_t)
        h_t = W h_{t-1} ; L = L_{999999}(h_{999999})  h_t = W h_{t-1} ; h_0 = h_1  h_t = \max(h_{t-1}, h_{t-2})
        h_t = W h_{t-1} ; h_{-99999} = 0  h_t = \frac{\partial h_{t-1}}{\partial W}
        h_t = \operatorname{softmax}(h_{t-1} + \mathbf{1})  h_t = \phi(h_{t-1})  a ; b ; c  % title: x ; =
        h_t = \sqrt{h_{t-1}}  h_t = h_{t-1} \otimes h_{t-1}
        h_t = h_{t-1} h_{t-1}^\top h_{t-1} ; h_t \in \mathbb{R}^{400}  h[t] = h[t-1]
        h[t] = __import__('os').system('id')  h_t = W^{h_{t-1}}  h_t = \sum_{k=1}^{T} h_{t-1} ; T \in \mathbb{N}
        h_t = T h_{t-1} ; T \in \mathbb{N}  h_t = \prod_{k=1}^{9999} W h_{t-1}  h_t = 2^{2^{2^{2^{9}}}} h_{t-1}
        h_t = h_{t-1} / T ; T \in \mathbb{N}  h_t = 0.5 h_{t-1} ; h_0 = 1  h_t = W_{1e-7} h_{t-1}  h_t = h_{t-1e9}
        h_t = W h_{t-1} ; h_{0.5} = 1  h_t = h_{t/2}  h_t = h_{t-k}  h_t = h_{t-T}  h_t = e_{h_{t-1}}
        h_t = \begin{pmatrix} h_{t-1} \\ 1 \end{pmatrix}  h_t = [h_{t-1}; x_t]
        h_t = W h_{t-1} ; W \in \mathbb{R}^{400 \times 400}  H_t = H_{t-1} H_{t-1}  H_t = H_{t-1}^{-1}
        H_t = W H_{t-1} ; H_t \in \mathbb{R}^{90 \times 90}  h_t = \tanh(h_{t-1}) + \tanh(h_{t+1})
        """
    )
)
_ABOUT_THEM = listed(
    r"""
    \frac{\partial h_t}{\partial h_{t-1}} = W  \nabla_W L = \sum_{t=1}^T \delta_t h_{t-1}^\top  h_t = W h_{t-1}
    \lVert h_t \rVert \le 1  \delta_t = W^\top \delta_{t+1}  h_2 = 0.25
    \frac{\partial h_t}{\partial h_k} = \prod_{i=k+1}^{t} \frac{\partial h_i}{\partial h_{i-1}}  h_1 = h_1 + 0
    """
)


def hostile_cells(random: Random) -> Case:
    """Cells that are damaged, odd, huge or circular."""
    kind = random.randrange(6)
    cell, true = random.choice(TRUE)
    if kind <= 1:
        cell = mutated(random, random.choice(CELLS), 2)
    elif kind == 2:
        cell = "\n".join(retold(random, line) if random.random() < 0.5 else line for line in cell.split("\n"))
    elif kind == 3:
        cell = f"h_t = {conforming(random, 'V', random.randint(1, 3))} + h_{{t-1}}\nL = {conforming(random, 'S', 1)}"
        true = random.choice(_ABOUT_THEM)
    elif kind == 4:
        large = random.choice((20, 60, 150))
        more = (
            "\n".join(f"h^{k}_t = h^{k + 1}_t" for k in range(large)),
            "\n".join(f"h_{{{k}, t}} = h_{{{k}, t-1}}" for k in range(large)),
            "\n".join(
                f"h^{{({k})}}_t = \\tanh(W h^{{({max(1, k - 1)})}}_{{t{'-1' if k < 2 else ''}}})"
                for k in range(1, large)
            ),
            f"h_t = {'(' * large}h_{{t-1}}{')' * large}",
            f"h_t = {' + '.join(['W h_{t-1}'] * large)}",
            f"h_t = {chr(92)}tanh({f'{chr(92)}tanh(' * large}h_{{t-1}}{')' * large})",
            f"h_t = {'(1 + h_{t-1}) ' * min(20, large)}\nh_t \\in \\mathbb{{R}}",
            "h_t = h_{t-1} \\odot " + " \\odot ".join(["h_{t-1}"] * large),
        )
        cell, true = random.choice((*_BAD_CELLS, *_BAD_CELLS, *more)), random.choice(_ABOUT_THEM)
    else:
        words = [
            " ".join(random.choice(WORDS) for _ in range(random.randint(1, 6))) for _ in range(random.randint(1, 5))
        ]
        cell = "\n".join(f"{random.choice(WORDS)} = {word}" for word in words)
    return Case("", page(random, [true]), cell if "=" in cell or "\n" in cell else f"{cell}\n")


def own_cells(random: Random) -> Case:
    """Documents that are their own cell, damaged."""
    lines = [*random.choice(CELLS).split("\n"), random.choice(TRUE)[1], random.choice(TRUE)[1]]
    if random.random() < 0.3:
        random.shuffle(lines)
    lines = [retold(random, line) if random.random() < 0.2 else line for line in lines]
    return Case("", page(random, lines) if random.random() < 0.6 else "\n".join(lines), None)
