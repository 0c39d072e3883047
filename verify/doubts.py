"""What a document says of a name and does not hold: nothing with that name is called right then, for nobody knows what it means."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from derive import expressions as e
from derive.errors import BpttError
from derive.functions import elementwise
from derive.notation import surface as s
from derive.notation.elaborate import elaborate
from derive.notation.names import QName
from derive.notation.parser import parse_one
from derive.notation.scope import CONVENTIONAL_INDICES, base_of
from derive.notation.write_latex import write_latex
from verify.announced import is_adjoint, means_adjoint, says_meaning
from verify.claims import Claim
from verify.names import Names
from verify.wording import speaks_of_others

Letter = tuple[str | None, tuple[str, ...]]
"""A name without its labels: its base and its accents."""


@dataclass(frozen=True)
class Doubts:
    """The letters of a document that are given a meaning which is not read, or which they do not have, with the equations that do so."""

    names: Names
    of: Mapping[Letter, Claim]

    def about(self, claim: Claim) -> str:
        """Why nothing can be said of a claim; empty where none of its letters is doubtful."""
        own = {_letter_of(key) for key in self.names.system.definitions} | _functions_of(self.names)
        of_the_cell = sorted(own & set(self.of), key=str)  # then all that it computes is in doubt
        for letter in (*_letters(claim.surface), *of_the_cell):
            doubtful = self.of.get(letter)
            if doubtful is not None and doubtful is not claim and not self._holds_in_general(letter, claim, doubtful):
                return f"line {doubtful.span.line} says {_shown(doubtful)}, which is not what the cell says, or is not read"
        return ""

    def left_open(self, claim: Claim) -> str:
        """Why a claim that is wrong in general is not called so: the document says something of a parameter, an input, a function or a
        derivative of it that is not read, such as W = Wᵀ.
        """
        computed = {_letter_of(key) for key in self.names.system.definitions}
        for letter in _letters(claim.surface):
            said = self.of.get(letter)
            if said is not None and said is not claim and letter not in computed:
                return f"it does not hold in general, and line {said.span.line} says {_shown(said)}, of which no use is made"
        return ""

    def _holds_in_general(self, letter: Letter, claim: Claim, doubtful: Claim) -> bool:
        """Whether the letter is one of a parameter or an input and the claim is no derivative by it: what holds for every value holds for
        the one that the author gives, unless he gives one to each time.
        """
        system = self.names.system
        keys = [key for key in (*system.parameters, *system.inputs) if _letter_of(key) == letter]
        if not keys or claim.surface is None or _is_of_times(doubtful, self.names):
            return False
        try:
            node = elaborate(claim.surface, self.names.context)
        except BpttError:
            return False
        by = {leaf.name for d in node.atoms(e.Derivative, e.Gradient) for leaf in d.by.atoms(e.Timed, e.Var)}
        by |= {
            system.adjoint_owners[leaf.name]
            for leaf in node.atoms(e.Timed, e.Var)
            if leaf.name in system.adjoint_owners
        }
        return not by & set(keys)


def _shown(claim: Claim) -> str:
    """What an equation says; one that is made of words as a formula."""
    surface = claim.surface
    if not isinstance(surface, s.Relation) or re.search(r"=|\\equiv|\\triangleq", claim.text):
        return " ".join(claim.text.split())
    if claim.error is not None:  # of its words a part is not read
        return f"what {write_latex(surface.items[0])} is"
    return write_latex(s.Relation(("=",), surface.items[:2]))


def doubts(names: Names, claims: Iterable[Claim], taken: Iterable[Claim], verdict: Callable[[Claim], str]) -> Doubts:
    """The doubtful letters of a document.

    Parameters
    ----------
    claims : what the document says, the formulas within its lines as well.
    taken  : what was taken as a number that it gives.
    verdict : on an equation.
    """
    found: dict[Letter, Claim] = {}
    used = {id(claim) for claim in taken}
    for claim in claims:
        letter = _said_of(claim, names)
        if letter is None or letter in found or id(claim) in used or _is_definition(claim, names):
            continue
        if _is_against(claim, letter, names, verdict):
            found |= {one: claim for one in (letter, *_adjoints(claim), *_tied(claim, names)) if one not in found}
    return Doubts(names, found)


_PASSING = re.compile(r"\b(?:for|at|as|when|often|e\.g\.|like|für|bei|wie)\s*\Z", re.IGNORECASE)
"""Words before a formula that is spoken of by the way."""
_SUPPOSED = re.compile(
    r"\b(?:case|if|would|instead|compare|unlike|not|never|no|wrong|without|must|warning|linear|scalar|special|fall|falls|wenn|wäre|würde|nicht|nie|kein\w*|statt|falsch)\b"
    r"|n['’]t\b",
    re.IGNORECASE,
)
"""Words before what holds elsewhere, or not at all."""


def _is_against(claim: Claim, letter: Letter, names: Names, verdict: Callable[[Claim], str]) -> bool:
    """Whether what is said of a letter is false; or cannot be read, where it is a meaning for it that the cell does not give."""
    if claim.altered:
        return True
    if _SUPPOSED.search(claim.sentence) or speaks_of_others(claim.sentence) or _is_dependence(claim):
        return False
    found = "unreadable" if claim.surface is None or claim.error is not None else verdict(claim)
    if found == "unreadable":
        of_the_cell = letter in {_letter_of(key) for key in names.system.definitions}
        return (says_meaning(claim) and not of_the_cell) or (claim.inline and _is_written_out(claim))
    return found == "wrong" or (found == "unsupported" and claim.qualified)


def _is_written_out(claim: Claim) -> bool:
    """Whether the right side of an equation is more than a name, or a function of names: W_t = W + t I, h_0 = W v."""
    right = claim.surface.items[1] if isinstance(claim.surface, s.Relation) else None
    if right is None or any(isinstance(node, s.Text) or _is_dots(node) for node in right.walk()):
        return False
    parts = right.items if isinstance(right, s.Sequence) else (right,)
    called = len(parts) == 2 and isinstance(parts[1], s.Bracket) and parts[1].kind == "("
    return not called and not isinstance(right, (s.Name, s.Accent, s.Scripted, s.Number))


def _is_dots(node: s.Surface) -> bool:
    return isinstance(node, s.Mark) and "dots" in node.kind


def _is_dependence(claim: Claim) -> bool:
    """Whether an equation says no more than what a quantity depends on: h_t = h_t(W, U, b)."""
    if not isinstance(claim.surface, s.Relation):
        return False
    left, right = claim.surface.items[:2]
    named = right.items[0] if isinstance(right, s.Sequence) and len(right.items) == 2 else None
    given = right.items[1] if isinstance(right, s.Sequence) and named is not None else None
    return named == left and isinstance(given, s.Bracket) and given.kind == "("


def _said_of(claim: Claim, names: Names) -> Letter | None:
    """The letter that a claim gives a meaning: by its words, or because it says within a line what the cell says otherwise. The loss of a
    step may be whatever the author says of it.
    """
    left = _left(claim)
    function = _function_at(left)
    if function is not None:
        return function if claim.inline else None
    if left is None or base_of(s.bare(left))[0] is None:
        return _adjoint_at_right(claim)
    if not (
        says_meaning(claim)
        or _is_about_the_cell(claim, left, names)
        or _is_of_the_loss(claim, left, names)
        or (claim.inline and bool(_tied(claim, names)))
    ):
        return None
    script = left.subs[-1] if isinstance(left, s.Scripted) and left.subs else None
    if (isinstance(script, s.Number) and not _is_start(left, names)) or _has_label_letter(left):
        return None  # a value at one time, or one of each layer
    letter = base_of(s.bare(left))
    if letter[0] is None or letter[0] == "T":
        return None
    if isinstance(left, s.Scripted) and letter[0] == QName.from_key(names.system.loss_name).base:
        return None
    return letter


def _adjoint_at_right(claim: Claim) -> Letter | None:
    """The letter of a derivative of which an equation within a line says that a derivative is made: ∇_{z_t} L = -δ_t."""
    if not claim.inline or not isinstance(claim.surface, s.Relation) or len(claim.surface.items) != 2:
        return None
    left, right = claim.surface.items
    letters = set(_letters(right))
    marked = any(isinstance(node, s.Mark) and node.kind in ("nabla", "partial") for node in left.walk())
    letters -= {letter for letter in letters if letter[0] in CONVENTIONAL_INDICES}
    return next(iter(letters)) if marked and len(letters) == 1 and means_adjoint(*next(iter(letters))) else None


def _function_at(left: s.Surface | None) -> Letter | None:
    """The function, with its primes, whose value at some point a left side is: \\sigma(z), \\tanh'(z)."""
    parts = left.items if isinstance(left, s.Sequence) else ()
    head = parts[0] if len(parts) == 2 and isinstance(parts[1], s.Bracket) else left
    return _function(head) if head is not None else None


def _function(node: s.Surface) -> Letter | None:
    """An elementwise function, or the slope of one, as a letter that a document may speak of."""
    if isinstance(node, s.Name) and elementwise(node.text) is not None:
        return node.text, ()
    if not isinstance(node, s.Scripted) or not node.primes or not isinstance(node.base, s.Name):
        return None
    return f"{node.base.text}{node.primes * chr(39)}", ()


def _is_of_the_loss(claim: Claim, left: s.Surface, names: Names) -> bool:
    """Whether an equation within a line says how the loss is computed."""
    found = names.key_of(left) if claim.inline and not _PASSING.search(claim.words) else None
    right = claim.surface.items[1] if isinstance(claim.surface, s.Relation) and claim.error is None else None
    tells = right is not None and any(isinstance(node, s.Scripted) for node in right.walk())
    return found is not None and found[0] == names.system.loss_name and tells


def _has_label_letter(left: s.Surface) -> bool:
    """Whether a name has a letter in parentheses above it, as in δ^{(l)}_t."""
    labels = left.sups if isinstance(left, s.Scripted) else ()
    return any(isinstance(label, s.Bracket) and any(isinstance(i, s.Name) for i in label.items) for label in labels)


def _is_about_the_cell(claim: Claim, left: s.Surface, names: Names) -> bool:
    """Whether an equation within a line says what a quantity of the cell is at every time, or a name that everybody uses for one."""
    right = claim.surface.items[1] if isinstance(claim.surface, s.Relation) else None
    marks = right is not None and any(
        isinstance(node, s.Mark) and node.kind in ("nabla", "partial") for node in right.walk()
    )
    of_adjoint = is_adjoint(left) and marks
    found = names.key_of(left) if claim.inline and (of_adjoint or not _PASSING.search(claim.words)) else None
    known = {*names.system.definitions, *names.conventions}
    if is_adjoint(left):
        said = of_adjoint or re.match(r"\s*(?:,|and|und)\s*\Z", claim.words)
        known |= {*names.system.adjoint_owners, *names.lines} if said else set()
    time = left.subs[-1] if isinstance(left, s.Scripted) and left.subs else None
    tells = right is not None and any(isinstance(node, s.Scripted) for node in right.walk())  # more than a number
    return found is not None and found[0] in known and tells and isinstance(time, s.Name) and time.text != "T"


def _tied(claim: Claim, names: Names) -> Sequence[Letter]:
    """The parameters of which a parameter or a starting value is said to be made: derivatives by them are others then; and what the cell
    computes, where an input or a starting value is made of it: it reads itself then.
    """
    if not isinstance(claim.surface, s.Relation):
        return []
    left, right = claim.surface.items[:2]
    key = (names.key_of(left) or ("", False))[0]
    start = _is_start(left, names)
    if key not in names.system.parameters and key not in names.system.inputs and not start:
        return []
    known = set() if key in names.system.parameters else set(names.system.definitions) - {names.system.loss_name}
    known |= set() if key in names.system.inputs else set(names.system.parameters)
    read = {node for node in right.walk() if isinstance(node, (s.Name, s.Accent, s.Scripted))}
    keys = {(names.key_of(node) or ("", False))[0] for node in read}
    return sorted({_letter_of(one) for one in keys & known}, key=str)


def _is_of_times(claim: Claim, names: Names) -> bool:
    """Whether an equation says what a parameter is at each time."""
    left = _left(claim)
    key, timed = ("", False) if left is None else (names.key_of(left) or ("", False))
    return timed and key in names.system.parameters


def _functions_of(names: Names) -> set[Letter]:
    """The functions of which the cell is made."""
    return {(node.function, ()) for q in names.system.equations for node in q.rhs.atoms(e.Apply)}


def _is_start(left: s.Surface, names: Names) -> bool:
    """Whether a name is that of a state at the start."""
    try:
        node = elaborate(left, names.context)
    except BpttError:
        return False
    return node in names.system.starts


def _adjoints(claim: Claim) -> Sequence[Letter]:
    """The letters of a claim that everybody takes for derivatives."""
    return [letter for letter in _letters(claim.surface) if means_adjoint(*letter)]


def _left(claim: Claim) -> s.Surface | None:
    """The left side of an equation, even of one that cannot be read."""
    if isinstance(claim.surface, s.Relation):
        return claim.surface.items[0] if claim.surface.operators[0] in ("=", ":=", "==") else None
    if claim.surface is not None:
        return None
    text, sign, _ = claim.text.partition("=")
    try:
        return parse_one(text.strip().removesuffix(":")).items[0] if sign else None
    except (BpttError, IndexError):
        return None


def _is_definition(claim: Claim, names: Names) -> bool:
    """Whether a claim is one by which the author introduced a name."""
    if not isinstance(claim.surface, s.Relation) or claim.error is not None or "=" in claim.surface.operators[1:]:
        return False
    try:
        node = elaborate(s.Relation(("=",), claim.surface.items[:2], span=claim.surface.span), names.context)
    except BpttError:
        return False
    return isinstance(node, e.Relation) and names.defines(node)


def _letters(surface: s.Surface | None) -> Sequence[Letter]:
    if surface is None:
        return ()
    found = [base_of(node) for node in surface.walk() if isinstance(node, (s.Name, s.Accent))]
    return found + [letter for node in surface.walk() if (letter := _function(node)) is not None]


def _letter_of(key: str) -> Letter:
    surface = QName.from_key(key).surface()
    return base_of(s.bare(surface))


__all__ = ["Doubts", "doubts"]
