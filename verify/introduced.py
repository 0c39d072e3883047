"""Names that a document introduces: ``let g_t = ...``, ``where g_t = ...``, ``g_t := ...``, a recursion, or an abbreviation that is
used elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from sympy import Integer

from derive import expressions as e
from derive.errors import BpttError
from derive.normal import equal
from derive.notation import surface as s
from derive.notation.elaborate import resolve
from derive.notation.infer import walk
from derive.notation.names import QName
from derive.notation.operations import Pre
from derive.notation.rebuild import rebuilt
from derive.notation.references import ReferenceReader
from derive.notation.scope import CONVENTIONAL_INDICES, base_of, find_timed
from derive.system import T, leaves
from verify.announced import DEFINES, means_adjoint, named_on_the_left, says_meaning
from verify.claims import Claim
from verify.conditions import LENGTH, conditions_of, has_unread, letters_of, times_that_meet
from verify.conventions import Definition
from verify.defining import only_defines
from verify.names import Names
from verify.wording import speaks_of_others

MOST_TOGETHER = 12
"""Of so many definitions that wait for each other, pairs are tried."""


def introduced(names: Names, claims: Sequence[Claim]) -> Names:
    """The names, with those that the claims of a document introduce. A definition may use what is introduced after it, and two
    may use each other.
    """
    claims = [_at_fixed_times(named_on_the_left(claim)) for claim in claims]
    surfaces = [claim.surface for claim in claims if isinstance(claim.surface, s.Relation)]
    timed = times_of(surfaces, names)
    waiting = _for_every_time([claim for claim in claims if _may_define(names, claim, claims, timed)], names, timed)
    while True:
        rest: list[Claim] = []
        for group in _by_name(waiting, names, timed):
            found = _defined(names, group, claims, timed) if len(group) > 1 else []
            if found and not any(_contradicts(names, one) for one in found) and _consistent(found):
                names = names.with_definitions(found)
                continue
            for claim in group:
                found = _defined(names, [claim], claims, timed)
                if found and not _contradicts(names, found[0]):
                    names = names.with_definitions(found)
                else:
                    rest.append(claim)
        if len(rest) == len(waiting):
            return without_circles(_together(names, rest, claims, timed))
        waiting = rest


def _by_name(waiting: Sequence[Claim], names: Names, timed: frozenset[str]) -> list[list[Claim]]:
    """The claims by the name that they define: its lines say together what shape it has, as M_0 = I does for M_t = J_t M_{t-1}."""
    groups: dict[str, list[Claim]] = {}
    for claim in waiting:
        groups.setdefault(_defined_at(claim, names, timed)[0], []).append(claim)
    return list(groups.values())


def _consistent(found: Sequence[Definition]) -> bool:
    """Whether lines of a name stand beside each other: one for every time, and others for fixed ones."""
    general = [one for one in found if one.letter is not None or isinstance(one.lhs, e.Var)]
    return len(general) <= 1 and len({one.lhs for one in found}) == len(found)


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
    return says_meaning(claim) or _used_elsewhere(surface.items[0], claim, claims)


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
    if not isinstance(surface, s.Relation) or claim.error is not None or surface.operators[0] not in DEFINES:
        return False
    if claim.qualified or speaks_of_others(claim.sentence):
        return False  # it holds at times that are not read, or for others
    found = names.key_of(surface.items[0], timed)
    if found is None or found[0] == "T" or found[0] in names.context.scope.sizes:
        return False
    said, key = says_meaning(claim), found[0]
    if is_adjoint_letter(key):
        return _may_define_adjoint(names, key, claim, said)
    scope = names.system.context.scope
    if key in scope.names | scope.timed:
        return False
    if key in names.conventions:
        return said
    return said or reads_itself(surface) or _used_elsewhere(surface.items[0], claim, claims)


def is_adjoint_letter(key: str) -> bool:
    """Whether everybody takes a name for a derivative of the loss: δ, or a letter with a bar."""
    name = QName.from_key(key)
    return means_adjoint(name.base, name.accents)


def _may_define_adjoint(names: Names, key: str, claim: Claim, said: bool) -> bool:
    """Whether a claim says which derivative δ_t or \\bar h_t is, by being that derivative; or that the letter stands for no derivative at
    all. What is computed, such as a recursion, is held against its meaning instead: it would be true of anything that it defines.
    """
    surface = claim.surface
    if not isinstance(surface, s.Relation):
        return False
    right = _read_alone(surface.items[1], names)
    if right is None:
        return False
    parts = list(walk(right))
    if right.op in ("gradient", "derivative") and all(arg.op == "name" for arg in right.args):
        whole = any(arg.data[0] == names.system.loss_name for arg in right.args)
        several = len({**names.system.preactivations, **names.system.named_preactivations}) > 1
        usual = names.lines[key][0].rhs if key in names.conventions else None
        meant = names.system.adjoint_owners.get(getattr(usual, "name", ""))
        same = any(arg.data[0] == meant for arg in right.args)
        by_form = (
            (
                (claim.inline and (same or meant is None or key in names.unclear))
                or (several and (key not in names.conventions or key in names.unclear))
            )
            and QName.from_key(key).base == "delta"
            and whole
        )
        told = said or (by_form and _is_first(names, key))
        return told and (not claim.inline or same or only_defines(claim))
    if any(part.op in ("gradient", "derivative") for part in parts):
        return False
    if key in names.unclear and right.op == "name" and is_adjoint_letter(right.data[0]):
        return said
    letters = {part.data[0] for part in parts if part.op == "name"}
    known = key in names.conventions or key == names.system.adjoint_names.get(names.system.adjoint_owners.get(key, ""))
    free = bool(letters) and not any(map(is_adjoint_letter, letters))
    return said and free and (not known or "bar" in QName.from_key(key).accents)


def _is_first(names: Names, key: str) -> bool:
    """Whether a name has no meaning of the author's own."""
    return key not in names.lines or key in names.conventions


def _read_alone(item: s.Surface, names: Names) -> Pre | None:
    """A right side, a transpose around it left out; None where it cannot be read."""
    try:
        right = resolve(item, names.context)
    except BpttError:
        return None
    return right.args[0] if right.op in ("transpose", "transpose_or_power") else right


def _defined(names: Names, group: Sequence[Claim], claims: Sequence[Claim], timed: frozenset[str]) -> list[Definition]:
    """What claims define together; empty where they cannot be read."""
    surfaces = [
        s.Relation(surface.operators[:1], surface.items[:2], span=surface.span)
        for claim in group
        if isinstance(surface := claim.surface, s.Relation)
    ]
    try:
        found = [_as_quantity(names, _as_adjoint(names, one)) for one in names.defined(surfaces, timed)]
    except BpttError:
        return []
    return [] if any(_says_nothing_new(names, one) for one in found) else found


def _as_adjoint(names: Names, found: Definition) -> Definition:
    """δ_t = ∂L/∂z_t as the adjoint of z_t: a column, whichever way derivatives are laid out, and zero where the sequence has ended."""
    rhs = found.rhs
    while isinstance(rhs, e.Transpose):
        rhs = rhs.operands[0]
    if not is_adjoint_letter(found.key) or not isinstance(rhs, (e.Derivative, e.Gradient)):
        return found
    whole, by = rhs.of == e.Var(names.system.loss_name), rhs.by
    if not whole or not isinstance(by, (e.Timed, e.Var)) or by.name not in names.system.adjoint_names:
        return found
    adjoint = names.system.adjoint_names[by.name]
    if isinstance(found.lhs, e.Timed) and isinstance(by, e.Timed):
        return Definition(
            e.Timed(found.key, found.lhs.time, *by.shape), e.Timed(adjoint, by.time, *by.shape), found.span
        )
    if isinstance(found.lhs, e.Var) and isinstance(by, e.Var):
        return Definition(e.Var(found.key, *by.shape), e.Var(adjoint, *by.shape), found.span)
    return found


def _as_quantity(names: Names, found: Definition) -> Definition:
    """a_t = W h_{t-1} + U x_t as another name for what the cell computes there: one may differentiate by that."""
    if not isinstance(found.lhs, e.Timed) or found.letter is None or isinstance(found.rhs, e.Timed):
        return found
    read = {leaf.name for leaf in leaves(found.rhs)}
    for q in names.system.steps:
        if not isinstance(q.lhs, e.Timed) or q.lhs.shape != found.lhs.shape or read != {x.name for x in leaves(q.rhs)}:
            continue
        if equal(found.rhs, q.rhs.xreplace({q.lhs.time: found.letter})):
            return Definition(found.lhs, q.lhs.at(found.letter), found.span)
    return found


def _says_nothing_new(names: Names, found: Definition) -> bool:
    """Whether a line gives a name the meaning that everybody gives it: another name for a quantity is then better than its formula, since
    one may differentiate by it.
    """
    if found.lhs == found.rhs:
        return True
    if found.key in names.unclear:
        return False
    usual = names.lines[found.key][0] if found.key in names.conventions else None
    if usual is None or usual.letter is None or found.letter is None or not isinstance(usual.rhs, e.Timed):
        return False
    there = usual.rhs.xreplace({usual.letter: found.letter})
    if found.rhs == there:
        return True
    own = next((q for q in names.system.steps if isinstance(q.lhs, e.Timed) and q.lhs.name == there.name), None)
    if own is None or found.lhs != usual.lhs.xreplace({usual.letter: found.letter}):
        return False
    return equal(found.rhs, own.rhs.xreplace({own.lhs.time: there.time}))


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


def reads_itself(surface: s.Relation) -> bool:
    """Whether the name of the left side stands on the right one."""
    left = base_of(s.bare(surface.items[0]))
    return any(
        base_of(s.bare(node)) == left
        for item in surface.items[1:2]
        for node in item.walk()
        if isinstance(node, (s.Name, s.Accent))
    )


def _used_elsewhere(left: s.Surface, claim: Claim, claims: Sequence[Claim]) -> bool:
    """Whether another formula reads the name."""
    letter = base_of(s.bare(left))
    return any(
        base_of(s.bare(node)) == letter
        for other in claims
        if other is not claim and other.surface is not None
        for node in other.surface.walk()
        if isinstance(node, (s.Name, s.Accent))
    )


__all__ = ["introduced", "is_adjoint_letter", "is_announced", "reads_itself", "times_of"]
