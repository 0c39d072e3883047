"""What the names of a text are known to be, before it is read: which are timed, which letters are indices, which are
functions.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sympy import Symbol

from derive.errors import AmbiguityError
from derive.expressions.leaves import index as index_of
from derive.expressions.leaves import size as size_of
from derive.functions import declared
from derive.notation import surface as s
from derive.notation.names import QName, label_text
from derive.notation.trees import TreeLetters, edge_ends, found_from, member_of_children, on_path, tree_letters
from derive.notation.vocabulary import GREEK

CONVENTIONAL_INDICES = frozenset(["i", "j", "k", "l", "m", "n", "r", "s", "t", "u", "tau", "T"])
"""Letters that index a quantity which is known to be timed; on anything else they are labels."""

EXPONENT_LETTERS = frozenset(["n", "m", "N", "k", "p", "q", "r", "s", "t", "T"])
"""Letters that are exponents when nothing says that they are labels."""

FUNCTION_LETTERS = frozenset(["f", "g", "phi", "varphi", "psi", "rho", "sigma", "varsigma"])
"""Letters that, undefined and before a parenthesis, stand for an abstract elementwise function."""

LOSS_LETTERS = frozenset(["L", "calL", "ell"])
"""Letters that are scalars unless the text says otherwise, and abstract losses before a parenthesis."""

OBJECTIVE_LETTERS = frozenset(["J", "E", "calJ", "calE"])
"""Letters that are a loss as well, where they stand alone on the left of an equation that sums over time or over
abstract losses.
"""

MATRIX_FUNCTIONS = {
    "diag": "diag", "tr": "trace", "trace": "trace", "vec": "vec", "softmax": "softmax", "sum": "sum_entries", "mean": "mean",
}  # fmt: skip
"""Functions that are not elementwise, and the operation each stands for."""

EXTREMES = ("max", "min")
"""Functions of two arguments or more, entry by entry."""

ELEMENTWISE = {name: f.name for f in declared() for name in (f.name, *f.aliases)}


@dataclass(frozen=True)
class Scope:
    """Knowledge about the names of a text.

    Parameters
    ----------
    time    : the letter of the time index.
    indices : letters that are indices wherever they stand in a subscript.
    timed   : keys of names that carry a time.
    names   : keys of all names that are known (timed ones, parameters, labelled ones).
    functions : names of abstract elementwise functions.
    sizes   : names of sizes that may be used as numbers.
    declared : keys of names that are declared to be quantities.
    tree    : the letters of nodes, where the cell computes a tree.
    on_edges : keys of quantities of the edges of a tree.
    losses  : letters of losses, which may stand without a time beside E_t.
    style   : another way in which the text writes times (see :mod:`derive.notation.time_style`).
    open    : whether other names may occur (they become parameters and inputs); otherwise an unknown name is an error.
    """

    time: str = "t"
    indices: frozenset[str] = frozenset()
    timed: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    functions: frozenset[str] = frozenset()
    sizes: frozenset[str] = frozenset()
    declared: frozenset[str] = frozenset()
    tree: TreeLetters | None = None
    on_edges: frozenset[str] = frozenset()
    losses: frozenset[str] = LOSS_LETTERS
    style: tuple[str, str] | None = None
    open: bool = True
    in_cell: bool = False

    def symbol(self, letter: str) -> Symbol:
        """The SymPy integer of an index letter or a size."""
        if letter in self.sizes:
            return size_of(letter)
        if letter in self.indices or letter == self.time:
            return index_of(letter)
        return size_of(letter) if letter in ("n", "d", "m", "B", "T", "N") else index_of(letter)

    def with_names(self, *, timed: Iterable[str] = (), names: Iterable[str] = ()) -> Scope:
        """This scope with more names known."""
        more = frozenset(timed)
        return replace(self, timed=self.timed | more, names=self.names | more | frozenset(names))


def size_key(node: s.Surface) -> str:
    """The key of a size: ``n``, or ``n_2`` with a number; empty for anything else."""
    if isinstance(node, s.Scripted) and isinstance(node.base, s.Name) and len(node.subs) == 1:
        number = node.subs[0]
        plain = not node.sups and not node.primes and isinstance(number, s.Number)
        return f"{node.base.text}_{number.text}" if plain and isinstance(number, s.Number) else ""
    return node.text if isinstance(node, s.Name) else ""


def offset_letters(node: s.Surface) -> set[str]:
    """Letters of an index such as ``t-1``, ``k+1`` or ``t-k``."""
    if isinstance(node, s.Bracket) and node.kind in ("(", "<", "group") and len(node.items) == 1:
        return offset_letters(node.items[0])
    if isinstance(node, s.Sum):
        letters = {item.text for item in node.items if isinstance(item, s.Name)}
        numbers = [item for item in node.items if isinstance(item, s.Number)]
        return letters if len(letters) + len(numbers) == len(node.items) else set()
    return set()


def bound_letters(lines: Iterable[s.Surface]) -> set[str]:
    """Indices of sums and products, and the letters of their bounds."""
    found: set[str] = set()
    for line in lines:
        for node in line.walk():
            if isinstance(node, s.Big):
                member = member_of_children(node.sub) or on_path(node.sub)
                if member is not None:
                    found.add(member[0].text)
                    continue
                for part in (node.sub, node.sup):
                    if part is not None:
                        found |= {leaf.text for leaf in part.walk() if isinstance(leaf, s.Name)}
    return found


def _subscripted(lines: Iterable[s.Surface]) -> Iterable[s.Scripted]:
    for line in lines:
        for node in line.walk():
            if isinstance(node, s.Scripted) and isinstance(node.base, (s.Name, s.Accent)):
                yield node


def time_letter(lines: Iterable[s.Surface], left_sides: Iterable[s.Surface]) -> str:
    """The letter that occurs with an offset; t where none or several do and t is among them; the letter of a node in a
    tree.

    Raises
    ------
    AmbiguityError : several letters other than t occur with an offset.
    """
    lines = list(lines)
    found: dict[str, s.Scripted] = {}
    for node in _subscripted(map(_without_sums, lines)):
        for item in (*node.subs, *(sup for sup in node.sups if isinstance(sup, s.Bracket) and sup.kind in ("(", "<"))):
            for letter in offset_letters(item):
                found.setdefault(letter, node)
    letters = [letter for letter in found if letter != "T"]
    tree = tree_letters(lines)
    if tree is not None:
        if letters:
            raise AmbiguityError(
                f"the nodes of a tree have children and a parent, but {letters[0]} occurs with an offset",
                span=found[letters[0]].span,
                expected="a child such as h_{l(j)}, or a sum over children \\sum_{k \\in C(j)} h_k",
            )
        return tree.node
    if "t" in letters or not letters:
        return "t"
    if len(letters) == 1:
        return letters[0]
    on_left = {leaf.text for side in left_sides for leaf in side.walk() if isinstance(leaf, s.Name)}
    preferred = [letter for letter in letters if letter in on_left]
    if len(preferred) == 1:
        return preferred[0]
    raise AmbiguityError(
        f"{' and '.join(letters)} both occur with an offset, so the time index is not clear",
        span=found[letters[1]].span,
        expected="one letter for the time",
        hint="write the time as t",
    )


def _without_sums(node: s.Surface) -> s.Surface:
    """A line without what stands under sum and product signs, whose indices are not the time."""
    kept: list[s.Surface] = []
    stack: list[s.Surface] = [node]
    while stack:
        current = stack.pop()
        if not isinstance(current, s.Big):
            if isinstance(current, s.Scripted):
                kept.append(current)
            stack.extend(current.children())
    return s.Line(tuple(kept))


def find_timed(lines: Iterable[s.Surface], scope: Scope) -> frozenset[str]:
    """Keys of the names that occur with a time somewhere in the text."""
    strong = scope.indices | {scope.time}
    found = set(scope.timed)
    for node in _subscripted(lines):
        for position, item in enumerate(node.subs):
            if is_index(item, strong):
                found.add(_key_without(node, position, None))
        for position, item in enumerate(node.sups):
            if isinstance(item, s.Bracket) and item.kind in ("(", "<") and is_index(item.items[0], strong):
                found.add(_key_without(node, None, position))
    return frozenset(key for key in found if key)


def is_index(node: s.Surface, letters: Iterable[str]) -> bool:
    """Whether a script is an index in one of the letters: ``t``, ``t-1``, ``(t)``, ``2t+1``."""
    if isinstance(node, s.Bracket) and node.kind in ("(", "group") and len(node.items) == 1:
        return is_index(node.items[0], letters)
    found = found_from(node)
    ends = edge_ends(node) or (() if found is None else (found[1],))
    if ends:
        return all(is_index(part, letters) for part in ends)
    names = {leaf.text for leaf in node.walk() if isinstance(leaf, s.Name)}
    plain = all(
        isinstance(leaf, (s.Name, s.Number, s.Sum, s.Infix, s.Sequence, s.Bracket, s.Fraction)) for leaf in node.walk()
    )
    whole = not isinstance(node, s.Sequence) or any(isinstance(leaf, s.Number) for leaf in node.items)
    return plain and whole and bool(names) and names <= {*letters, "T"} and (names != {"T"} or "T" in letters)


def _key_without(node: s.Scripted, sub: int | None, sup: int | None) -> str:
    """The key of a name with all scripts as labels but the one that is its time."""
    base, accents = base_of(node.base)
    if base is None:
        return ""
    subs = [label_text(item) for k, item in enumerate(node.subs) if k != sub]
    sups = [label_text(item) for k, item in enumerate(node.sups) if k != sup and is_label_sup(item)]
    if None in subs or None in sups:
        return ""
    return QName(base, accents, tuple(str(x) for x in subs), tuple(str(x) for x in sups), node.primes).key


def base_of(node: s.Surface) -> tuple[str | None, tuple[str, ...]]:
    """The letter and the accents of a name's base."""
    accents: list[str] = []
    while isinstance(node, s.Accent):
        accents.insert(0, node.kind)
        node = node.body
    return (node.text, tuple(accents)) if isinstance(node, s.Name) else (None, ())


def is_label_sup(node: s.Surface) -> bool:
    """Whether a superscript can only be a label: a layer ``[1]``, a number in parentheses, a star; or a letter (settled
    elsewhere).
    """
    if isinstance(node, s.Mark):
        return node.kind == "star"
    if isinstance(node, s.Bracket):
        return node.kind in ("[", "(") and label_text(node) is not None
    if isinstance(node, s.Name):
        return node.text != "T"
    return isinstance(node, (s.Sequence, s.Accent)) and label_text(node) is not None


def is_lower_greek(base: str) -> bool:
    return base in GREEK and base[0].islower()
