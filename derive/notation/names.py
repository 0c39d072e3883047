"""Names: a base letter with its accents, labels and primes, and the spellings by which people refer to it.

``\\tilde{C}_t`` is the quantity ``C_tilde`` at time t; ``W_{hh}`` is ``W_hh``; ``h^{[1]}_t`` is ``h^[1]`` and answers
to ``h1``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from derive.notation import surface as s
from derive.notation.vocabulary import ACCENTS, GREEK

_ACCENT_NAMES = frozenset(ACCENTS.values())


@dataclass(frozen=True)
class QName:
    """A name without its time.

    Parameters
    ----------
    base    : ``W``, ``alpha``, ``calL``.
    accents : ``("tilde",)``; the innermost first.
    subs, sups : labels, such as ``("f",)``; a layer in brackets is ``[1]``, a number in parentheses ``(2)``, a letter with an accent
        ``h~tilde``.
    primes  : how many.
    """

    base: str
    accents: tuple[str, ...] = ()
    subs: tuple[str, ...] = ()
    sups: tuple[str, ...] = ()
    primes: int = 0

    @property
    def key(self) -> str:
        """The name in plain text; different names have different keys."""
        text = self.base + "".join(f"_{accent}" for accent in self.accents) + "'" * self.primes
        if self.subs:
            text += "_" + "_".join(self.subs)
        return text + "".join(f"^{sup}" for sup in self.sups)

    @property
    def alias(self) -> str:
        """A spelling that is a Python identifier: ``C_tilde``, ``h1``, ``z_f``."""
        layers = "".join(sup.strip("[]()") for sup in self.sups if sup[:1] in "[(")
        labels = [sup for sup in self.sups if sup[:1] not in "[("]
        parts = [self.base + layers, *self.accents, *self.subs, *labels]
        return re.sub(r"\W", "_", "_".join(parts)) + "_prime" * self.primes

    def _as_its_author(self, *more_subs: s.Surface) -> s.Surface:
        form, _, key = self.sups[0][1:].partition(":")
        if not key:
            return QName(self.base, self.accents, self.subs, self.sups[1:], self.primes).surface(*more_subs)
        inner = QName.from_key(key.replace("!", "^")).surface(*more_subs)
        return s.Scripted(s.Name("delta"), (inner,)) if form == "sub" else s.Sequence((s.Name(form), inner))

    @classmethod
    def written_for(cls, form: str, key: str) -> QName:
        """The name of what is written as ``form`` and another name."""
        return cls("delta", (), (), (f"@{form}:{key.replace('^', '!')}",))

    @property
    def label(self) -> str:
        """Its letter and accents as a label of another name."""
        return "~".join((self.base, *self.accents))

    @classmethod
    @lru_cache(maxsize=4096)
    def from_key(cls, key: str) -> QName:
        """The name of a key."""
        head, *sups = re.split(r"\^(?![^\[(]*[\])])", key)
        base, *labels = head.split("_")
        primes = 0
        if "'" in head:
            before, _, after = head.partition("'")
            primes = 1 + len(after) - len(after.lstrip("'"))
            labels = before.split("_")[1:] + [p for p in after.lstrip("'").split("_") if p]
            base = before.split("_")[0]
        accents = []
        while labels and labels[0] in _ACCENT_NAMES:
            accents.append(labels.pop(0))
        return cls(base, tuple(accents), tuple(labels), tuple(sups), primes)

    def with_sup(self, label: str) -> QName:
        """This name with another upper label."""
        return QName(self.base, self.accents, self.subs, (*self.sups, label), self.primes)

    def with_accent(self, accent: str) -> QName:
        """This name with another accent."""
        return QName(self.base, (*self.accents, accent), self.subs, self.sups, self.primes)

    def surface(self, *more_subs: s.Surface) -> s.Surface:
        """How the name is written; ``more_subs`` (a time) come after its labels. A label that begins with @ tells names apart that are
        written alike, or says how they are written: ``@d:C`` is dC_t, ``@sub:C`` is δ_{C_t}.
        """
        if self.sups and self.sups[0].startswith("@"):
            return self._as_its_author(*more_subs)
        body: s.Surface = _letters(self.base)
        for accent in self.accents:
            body = s.Accent(accent, body)
        subs = (*(_letters(label) for label in self.subs), *more_subs)
        sups = tuple(_letters(label) for label in self.sups)
        return s.Scripted(body, subs, sups, self.primes) if subs or sups or self.primes else body


def _letters(text: str) -> s.Surface:
    """A label as it is written: one letter, a Greek letter, a number, several letters side by side, or a letter with an accent."""
    if text[:1] == "[":
        return s.Bracket("[", (_letters(text[1:-1]),))
    if text[:1] == "(":
        return s.Bracket("(", (_letters(text[1:-1]),))
    if text == "*":
        return s.Mark("star")
    if "~" in text:
        inner, _, accent = text.rpartition("~")
        return s.Accent(accent, _letters(inner))
    if text.isdigit():
        return s.Number(text)
    return s.Name(text)


def label_text(node: s.Surface) -> str | None:
    """The text of a script that is a label: letters, a word, a number, a letter with an accent, a layer in brackets; None where it is
    something else.
    """
    if isinstance(node, (s.Name, s.Number)):
        return node.text
    if isinstance(node, s.Mark) and node.kind == "star":
        return "*"
    if isinstance(node, s.Accent):
        inner = label_text(node.body)
        return None if inner is None else f"{inner}~{node.kind}"
    if isinstance(node, s.Sequence):
        parts = [label_text(item) for item in node.items]
        simple = [p for p in parts if p is not None and p.isalnum() and p not in GREEK]
        return "".join(simple) if len(simple) == len(parts) else None
    if isinstance(node, s.Bracket) and node.kind in ("[", "(") and len(node.items) == 1:
        inner = label_text(node.items[0])
        return None if inner is None else f"{node.kind}{inner}{']' if node.kind == '[' else ')'}"
    return None


@lru_cache(maxsize=4096)
def alias_of(key: str) -> str:
    """The Python spelling of a name's key."""
    return QName.from_key(key).alias
