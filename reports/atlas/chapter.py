"""One cell's chapter: what it is, and everything that is derived of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from derive.cell import Cell
from derive.errors import MissingRuleError
from derive.flow import FlowEngine
from derive.joint import JointState
from derive.notation.present import present
from reports import document as d
from reports.blocks import REGISTRY, SheetContext
from reports.markdown import read_markdown

_STEPS = 100
"""Steps in the plot of Jacobian products."""


@dataclass(frozen=True)
class Chapter:
    """A chapter, and what the book's contents and index say of it."""

    name: str
    title: str
    citation: str
    blocks: d.Blocks
    error: float
    """The largest relative error of its gradients against autograd."""


def chapter(name: str, subject: Cell, draws: int = 20, seed: int = 0) -> Chapter:
    """Everything about one cell.

    Raises
    ------
    BpttError : a derivation is not possible, or disagrees with autograd.
    """
    context = SheetContext(draws, seed, {name: subject})
    document = read_markdown(_body(name, subject), REGISTRY, context)
    heading = d.Heading(1, d.words(subject.title or name), name, new_page=True)
    blocks = (heading, *_introduction(subject), *_equations(subject), *_below(document.blocks, name))
    error = max((entry.validation.error for entry in context.measurements), default=0.0)
    return Chapter(name, subject.title or name, subject.citation, blocks, error)


def _introduction(subject: Cell) -> list[d.Block]:
    """The citation, with a link to the publication, and what the text says of itself."""
    blocks: list[d.Block] = []
    if subject.citation:
        cited: d.Inlines = d.words(f"{subject.citation}. ")
        blocks.append(d.Paragraph((*cited, *_link(subject.identifier))))
    if subject.note:
        blocks += read_markdown(subject.note).blocks
    return blocks


def _link(identifier: str) -> d.Inlines:
    kind, _, number = identifier.partition(":")
    roots = {"doi": "https://doi.org/", "arXiv": "https://arxiv.org/abs/"}
    return (d.Link(d.words(identifier), roots[kind] + number),) if kind in roots else ()


def _below(blocks: d.Blocks, name: str) -> list[d.Block]:
    """The chapter's blocks, its headings one level below and with anchors that no other chapter has."""
    found: list[d.Block] = []
    for block in blocks:
        if isinstance(block, d.Heading):
            found.append(d.Heading(block.level + 1, block.body, f"{name}-{block.anchor}"))
        else:
            # Nobody has the chapter's Markdown: a line of it would say nothing.
            found.append(replace(block, line=0))
    return found


def _body(name: str, subject: Cell) -> str:
    """The chapter in Markdown: the same blocks that a sheet calls."""
    wording = _SEQUENCE if subject.tree is None else _TREE
    backward = wording.backward if not (subject.tree and subject.reads_ahead) else _OTHER_WAY
    parts = [_call("unrolled", name, steps="2")]
    jointly = bool(subject.states) and _has_joint_jacobian(subject)
    if jointly:
        matrices = any(1 not in subject.shapes[key] for key in subject.states)
        parts += [
            "# One-step Jacobian",
            wording.stacked if matrices else wording.one if len(subject.states) == 1 else wording.several,
            _call("jacobian", name, **({"vec": "yes"} if matrices else {})),
        ]
    parts += ["# Adjoint recursion and gradients", backward, _call("gradients", name)]
    if jointly:
        parts += [
            f"# {wording.over_many}",
            *_bound(name, subject, wording),
            _call("product-norms", name, count=str(_STEPS)),
        ]
    return "\n\n".join(parts)


@dataclass(frozen=True)
class _Wording:
    """What stands before the parts of a chapter."""

    one: str
    several: str
    stacked: str
    backward: str
    over_many: str
    bound: str


_SEQUENCE = _Wording(
    "How one step moves with the state of the step before it, and how step $t$ moves with step $k$:",
    "How one step moves with all states of the step before it, and how step $t$ moves with step $k$:",
    "How one step moves with the states of the step before it, matrices stacked by columns, and step $t$ with step $k$:",
    "One pass from the last step to the first gives every adjoint, and with them every gradient:",
    "Over many steps",
    "Of the loss of the last step, no more than this arrives at step $t$:",
)
_TREE = _Wording(
    "How a node moves with the state of its child, and with that of a node further below:",
    "How a node moves with all states of its child, and with those of a node further below:",
    "How a node moves with the states of its child, matrices stacked by columns, and with those of a node further below:",
    "One pass from the root down to the leaves gives every adjoint, and with them every gradient:",
    "Over a long path",
    "Of the loss at the root, no more than this arrives at a node below:",
)


_OTHER_WAY = "Against the order in which the nodes are computed, every adjoint comes out, and with them every gradient:"


def _bound(name: str, subject: Cell, wording: _Wording) -> list[str]:
    """The norm bound, where the loss of a step reads the states of that step alone."""
    try:
        subject.norm_bound()
    except MissingRuleError:
        return []
    return [wording.bound, _call("norm-bound", name, steps="bounds")]


def _has_joint_jacobian(subject: Cell) -> bool:
    """Whether one step leads from the states before it to its own."""
    try:
        JointState(FlowEngine(subject, vec=True)).block()
    except MissingRuleError:
        return False
    return True


def _equations(subject: Cell) -> list[d.Block]:
    """The equations as they are printed everywhere, and the declarations that they need."""
    lines = (d.AlignedLine(present(q.lhs), "=", present(q.rhs)) for q in subject.relations())
    blocks: list[d.Block] = [d.Aligned(tuple(lines))]
    named = [q for q in subject.steps if q.key in subject.preactivations]
    if named:
        blocks.append(d.Paragraph(d.words("The arguments of its functions, the pre-activations, have names below:")))
        blocks.append(d.Aligned(tuple(d.AlignedLine(present(q.lhs), "=", present(q.rhs)) for q in named)))
    declared = [piece for surface in subject.declarations() for piece in (*d.words(", "), d.Math(surface))]
    if declared:
        blocks.append(d.Paragraph((*d.words("with "), *declared[1:], *d.words("."))))
    return blocks


def _call(block: str, name: str, **options: str) -> str:
    lines = [f"cell: {name}", *(f"{key.replace('_', '-')}: {value}" for key, value in options.items())]
    return "\n".join([f"```bptt {block}", *lines, "```"])
