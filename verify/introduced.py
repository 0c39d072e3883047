"""Names that a document introduces: ``let g_t = ...``, ``where g_t = ...``, ``g_t := ...``, a recursion, or an abbreviation that is
used elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from sympy import Integer

from derive import expressions as e
from derive.errors import BpttError
from derive.notation import surface as s
from derive.notation.elaborate import resolve
from derive.notation.names import QName
from derive.notation.rebuild import rebuilt
from derive.notation.references import ReferenceReader
from derive.notation.scope import CONVENTIONAL_INDICES, LOSS_LETTERS, base_of, find_timed
from derive.system import T, leaves
from verify.claims import Claim
from verify.conditions import LENGTH, conditions_of, has_unread, letters_of, times_that_meet
from verify.names import Definition, Names

MOST_TOGETHER = 12
"""Of so many definitions that wait for each other, pairs are tried."""

_WORDS = re.compile(
    r"\b(?:given|consider|suppose|assum\w*|gegeben|let|where|with|define[sd]?|denot(?:e|es|ed|ing)|set|sets|setting|write|writing|call|abbreviat\w*|introduc\w*|put|"
    r"notation|for short|sei|seien|wobei|mit|setze|setzen|bezeichne\w*|definier\w*|nenne\w*)\b[^.;$]*\Z",
    re.IGNORECASE,
)


def introduced(names: Names, claims: Sequence[Claim]) -> Names:
    """The names, with those that the claims of a document introduce. A definition may use what is introduced after it, and two
    may use each other.
    """
    claims = [_at_fixed_times(claim) for claim in claims]
    surfaces = [claim.surface for claim in claims if isinstance(claim.surface, s.Relation)]
    timed = times_of(surfaces, names)
    waiting = _for_every_time([claim for claim in claims if _may_define(names, claim, claims, timed)], names, timed)
    while True:
        rest: list[Claim] = []
        for claim in waiting:
            found = _defined(names, [claim], claims, timed)
            if found and not _contradicts(names, found[0]):
                names = names.with_definitions(found)
            else:
                rest.append(claim)
        if len(rest) == len(waiting):
            return without_circles(_together(names, rest, claims, timed))
        waiting = rest


def _for_every_time(waiting: Sequence[Claim], names: Names, timed: frozenset[str]) -> list[Claim]:
    """The claims that define names at every time. One for t < T needs a line of its own for T; a name with a line for other times alone
    would be taken for what it is not.
    """
    fixed: dict[str, set[int]] = {}
    left_out: dict[str, list[set[int]]] = {}
    for claim in waiting:
        key, time = _defined_at(claim, names, timed)
        if time is None:
            letters = letters_of(conditions_of(claim, names))
            met = [times_that_meet(conditions_of(claim, names), letter) for letter in letters]
            met += [set()] if has_unread(claim, names) else []
            left_out.setdefault(key, []).extend(set(range(1, LENGTH + 1)) - times for times in met)
        else:
            fixed.setdefault(key, set()).add(time)
    partial = {key for key, gaps in left_out.items() if any(not gap <= fixed.get(key, set()) for gap in gaps)}
    return [claim for claim in waiting if _defined_at(claim, names, timed)[0] not in partial]


def _defined_at(claim: Claim, names: Names, timed: frozenset[str]) -> tuple[str, int | None]:
    """The name that a claim defines, and at which time if it is a fixed one."""
    surface = claim.surface
    found = names.key_of(surface.items[0], timed) if isinstance(surface, s.Relation) else None
    if found is None or not isinstance(surface, s.Relation):
        return "", None
    left = surface.items[0]
    script = left.subs[-1] if isinstance(left, s.Scripted) and left.subs else None
    value = None if script is None else ReferenceReader(names.context.scope).index_or_none(script)
    at = None if value is None else value.xreplace({T: Integer(LENGTH)})
    return found[0], int(at) if at is not None and at.is_Integer else None


def _at_fixed_times(claim: Claim) -> Claim:
    """``g_t = a, t = T`` as ``g_T = a``: it says what g is at that time, and not what it is at every one."""
    fixed = {
        left.text: right
        for relation in claim.conditions
        if relation.operators == ("=",)
        for left, right in [relation.items]
        if isinstance(left, s.Name) and left.text != "T"
    }
    if not fixed or claim.surface is None or any(isinstance(node, s.Big) for node in claim.surface.walk()):
        return claim

    def change(node: s.Surface) -> s.Surface:
        return fixed.get(node.text, node) if isinstance(node, s.Name) else node

    return replace(claim, surface=rebuilt(claim.surface, change))


def without_circles(names: Names) -> Names:
    """The names without those that are made of themselves at the same time: a_t = b_t and b_t = a_t say nothing, and q_t = q_t + 1
    nothing true.
    """
    reads: dict[str, set[str]] = {}
    for line in names.definitions:
        found = reads.setdefault(line.key, set())
        for leaf in leaves(line.rhs):
            if leaf.name in names.lines and _is_now(leaf, line):
                found.add(leaf.name)
    circled = {key for key in reads if key in _reached(key, reads)}
    if not circled:
        return names
    return Names(names.system, [line for line in names.definitions if line.key not in circled])


def _is_now(leaf: e.Timed | e.Var, line: Definition) -> bool:
    return not isinstance(leaf, e.Timed) or not isinstance(line.lhs, e.Timed) or leaf.time == line.lhs.time


def _reached(key: str, reads: Mapping[str, set[str]]) -> set[str]:
    """All that a name is made of, at the same time."""
    found: set[str] = set()
    pending = list(reads.get(key, ()))
    while pending:
        one = pending.pop()
        if one not in found:
            found.add(one)
            pending += reads.get(one, ())
    return found


def is_announced(claim: Claim, claims: Sequence[Claim]) -> bool:
    """Whether words say that an equation gives a name a meaning, or another formula uses the name."""
    surface = claim.surface
    if not isinstance(surface, s.Relation):
        return False
    said = surface.operators[0] == ":=" or _WORDS.search(_plain(claim.words)) is not None
    return said or _used_elsewhere(surface.items[0], claim, claims)


def with_loss(claims: Iterable[Claim], names: Names) -> list[Claim]:
    """The claims with the cell's letter for the loss, where they write L as 𝓛 or 𝓛 as L, or ℓ_t for the loss of a step, and the cell has
    nothing else by that letter.
    """
    own = QName.from_key(names.system.loss_name).base
    known = {QName.from_key(key).base for key in names.context.shapes}
    others = LOSS_LETTERS - known if own in LOSS_LETTERS else frozenset()

    def change(node: s.Surface) -> s.Surface:
        if isinstance(node, s.Name) and node.text in others - {"ell"}:
            return replace(node, text=own)
        if isinstance(node, s.Scripted) and node.subs and node.base == s.Name("ell") and "ell" in others:
            return replace(node, base=s.Name(own, span=node.base.span))
        return node

    return [
        replace(claim, surface=rebuilt(claim.surface, change)) if others and claim.surface is not None else claim
        for claim in claims
    ]


def times_of(surfaces: Sequence[s.Surface], names: Names) -> frozenset[str]:
    """Names that have a time somewhere: one of the letters that stand as a time elsewhere, or the cell's."""
    scope = names.context.scope
    letters = {
        item.text
        for surface in surfaces
        for node in surface.walk()
        if isinstance(node, s.Scripted)
        for item in node.subs
        if isinstance(item, s.Name) and item.text in CONVENTIONAL_INDICES and _is_timed(node, names)
    }
    return find_timed(surfaces, replace(scope, indices=scope.indices | letters - {"T"}))


def _is_timed(node: s.Scripted, names: Names) -> bool:
    """Whether a name with its last subscript taken away is one that the cell knows with a time."""
    without = s.Scripted(node.base, node.subs[:-1], node.sups, node.primes)
    found = names.key_of(without if without.subs or without.sups else node.base)
    return found is not None and found[0] in names.context.scope.timed


def _may_define(names: Names, claim: Claim, claims: Sequence[Claim], timed: frozenset[str]) -> bool:
    """Whether a claim gives a name a meaning, if its formula can be read."""
    surface = claim.surface
    if not isinstance(surface, s.Relation) or claim.error is not None or surface.operators[0] not in ("=", ":="):
        return False
    found = names.key_of(surface.items[0], timed)
    if found is None or found[0] == "T" or found[0] in names.context.scope.sizes:
        return False
    said = surface.operators[0] == ":=" or _WORDS.search(_plain(claim.words)) is not None
    scope = names.system.context.scope
    if found[0] in scope.names | scope.timed:
        return found[0] in names.system.adjoint_owners and (said or _settles(names, found[0], surface))
    if found[0] in names.conventions:
        return said
    if QName.from_key(found[0]).base == "delta" or "bar" in QName.from_key(found[0]).accents:
        return said  # letters of adjoints: which one is meant is for the author to say
    return said or _reads_itself(surface) or _used_elsewhere(surface.items[0], claim, claims)


def _settles(names: Names, key: str, surface: s.Relation) -> bool:
    """Whether δ_t = ∇_{a_t} L says whose adjoint δ without a label is, in a cell in which it may be that of several."""
    name, system = QName.from_key(key), names.system
    several = len({**system.preactivations, **system.named_preactivations}) > 1
    if name.base != "delta" or name.subs or name.sups or not several:
        return False
    try:
        right = resolve(surface.items[1], names.context)
    except BpttError:
        return False
    inner = right.args[0] if right.op in ("transpose", "transpose_or_power") else right
    return inner.op in ("gradient", "derivative") and all(arg.op == "name" for arg in inner.args)


def _defined(names: Names, group: Sequence[Claim], claims: Sequence[Claim], timed: frozenset[str]) -> list[Definition]:
    """What claims define together; empty where they cannot be read."""
    surfaces = [
        s.Relation(surface.operators[:1], surface.items[:2], span=surface.span)
        for claim in group
        if isinstance(surface := claim.surface, s.Relation)
    ]
    try:
        return names.defined(surfaces, timed)
    except BpttError:
        return []


def _contradicts(names: Names, found: Definition) -> bool:
    """Whether a name has a meaning already: a line for every time, or one for the same. A line for a fixed time may stand beside
    another.
    """
    if found.key in names.conventions:
        return False
    lines = names.lines.get(found.key, ())
    general = found.letter is not None or isinstance(found.lhs, e.Var)
    return any(
        line.lhs == found.lhs or (general and (line.letter is not None or isinstance(line.lhs, e.Var)))
        for line in lines
    )


def _together(names: Names, waiting: Sequence[Claim], claims: Sequence[Claim], timed: frozenset[str]) -> Names:
    """Definitions that speak of each other: all that wait, or pairs of them."""
    groups = [tuple(waiting), *combinations(waiting[:MOST_TOGETHER], 2)]
    for group in groups if len(waiting) > 1 else ():
        if any(_is_known(names, claim, timed) for claim in group):
            continue
        found = _defined(names, group, claims, timed)
        if found:
            names = names.with_definitions(found)
    return names


def _is_known(names: Names, claim: Claim, timed: frozenset[str]) -> bool:
    found = names.key_of(claim.surface.items[0], timed) if isinstance(claim.surface, s.Relation) else None
    return found is not None and found[0] in names.lines and found[0] not in names.conventions


def _reads_itself(surface: s.Relation) -> bool:
    """Whether the name of the left side stands on the right one."""
    left = _letter(surface.items[0])
    return any(
        _letter(node) == left
        for item in surface.items[1:2]
        for node in item.walk()
        if isinstance(node, (s.Name, s.Accent))
    )


def _letter(node: s.Surface) -> object:
    return base_of(node.base if isinstance(node, s.Scripted) else node)


def _plain(words: str) -> str:
    return re.sub(r"\\[A-Za-z]+\*?|[{}*_#]", " ", words)


def _used_elsewhere(left: s.Surface, claim: Claim, claims: Sequence[Claim]) -> bool:
    """Whether another formula reads the name."""
    letter = _letter(left)
    return any(
        _letter(node) == letter
        for other in claims
        if other is not claim and other.surface is not None
        for node in other.surface.walk()
        if isinstance(node, (s.Name, s.Accent))
    )


__all__ = ["introduced", "is_announced", "times_of", "with_loss"]
