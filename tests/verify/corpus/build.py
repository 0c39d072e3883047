"""Builds corpus.json: claims about recurrent networks, right and wrong, labelled by numbers.

``python tests/verify/corpus/build.py`` writes the same file every time. An entry has the name of its cell, the claim, its
label, the true claim that it was made from, and the edits that were made to it. `shape` marks a wrong claim whose shapes
do not conform, `layout` a true one that needs gradients in the shape of what they are taken by, or Jacobians transposed,
`from_zero` a wrong one that is right of networks that start from zero.
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import torch

from tests.verify.corpus import claims, gated_claims
from tests.verify.corpus.cells import MODELS, Model
from tests.verify.corpus.labels import Judge, Label
from tests.verify.corpus.language import Claim
from tests.verify.corpus.latex import Printer, Style, draw_style
from tests.verify.corpus.mutate import Mutator
from tests.verify.corpus.respell import Respeller

TARGET = Path(__file__).with_name("corpus.json")
RIGHT, WRONG, TWICE = 25, 32, 5  # for each cell: right ones, wrong ones of one edit, and of two
SHAPES, UNCHANGED, OF_ONE = 7, 2, 3  # at most: bad shapes, edits that change nothing, edits of one original

SOURCES: dict[str, Callable[[], claims.Pairs]] = {
    "rnn-tanh": claims.rnn_tanh,
    "rnn-sigma": claims.rnn_sigma,
    "rnn-softmax": claims.rnn_softmax,
    "rnn-squared": claims.rnn_squared,
    "linear": claims.linear,
    "two-lags": claims.two_lags,
    "leaky": claims.leaky,
    "indrnn": claims.indrnn,
    "row": claims.row,
    "two-layers": claims.two_layers,
    "lstm": gated_claims.lstm,
    "peephole-lstm": gated_claims.peephole,
    "gru": gated_claims.gru,
    "mgu": gated_claims.mgu,
}


@dataclass(frozen=True)
class Original:
    """A true claim in one spelling."""

    claim: Claim
    label: Label
    printer: Printer

    def text(self, claim: Claim | None = None) -> str:
        return self.printer.claim(claim or self.claim)


@dataclass
class Corpus:
    """The entries so far."""

    entries: list[dict[str, object]] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    seen: set[tuple[str, str]] = field(default_factory=set)

    def put(self, model: Model, text: str, label: Label, original: str, edits: tuple[str, ...] = ()) -> bool:
        """Adds an entry, unless it is there."""
        if (model.name, text) in self.seen:
            return False
        self.seen.add((model.name, text))
        self.kinds.update(edits)
        entry: dict[str, object] = {
            "id": len(self.entries) + 1,
            "cell": model.name,
            "claim": text,
            "true": label.true,
            "original": original,
            "edits": list(edits),
        }
        entry.update({name: True for name in ("shape", "layout", "from_zero") if getattr(label, name)})
        self.entries.append(entry)
        return True


def originals(model: Model, judge: Judge, rng: Random) -> list[Original]:
    """The true claims about a network, each in a spelling of its own."""
    respeller = Respeller(model, rng)
    found = []
    for claim in claims.claims(SOURCES[model.name]()):
        if judge.label(claim) != Label(true=True):
            raise AssertionError(f"{model.name}: {Printer(Style()).claim(claim)} is not true")
        for _ in range(2):
            spelled = respeller.claim(claim, rng.choice((0.0, 0.2, 0.4)))
            if rng.random() < 0.15:
                spelled = respeller.as_partials(spelled)
            printer = Printer(draw_style(rng, raised="[" not in "".join(model.starts)), model.rows)
            label = judge.label(spelled)
            if label is None:
                continue  # 1 - h_0^2 is no slope: the spelling says something at t = 0, too
            if not label.true:
                raise AssertionError(f"{model.name}: {printer.claim(spelled)} is not true: {label}")
            found.append(Original(spelled, label, printer))
    return found


def add_wrong(corpus: Corpus, model: Model, judge: Judge, known: list[Original], rng: Random) -> None:
    """Adds claims that are one edit away from true ones, those first whose kind is rare."""
    mutator = Mutator(model)
    waiting: dict[str, list[tuple[Original, Claim]]] = defaultdict(list)
    for original in known:
        for kind, claim in mutator.edits(original.claim):
            waiting[kind].append((original, claim))
    for group in waiting.values():
        rng.shuffle(group)
    uses: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    while counts["wrong"] < WRONG and any(waiting.values()):
        kind = min((kind for kind, group in waiting.items() if group), key=lambda kind: (corpus.kinds[kind], kind))
        original, claim = waiting[kind].pop()
        label = judge.label(claim) if uses[original.text()] < OF_ONE else None
        if label is None or label.layout:
            continue  # what an edit makes right in another layout is left out
        sort = "unchanged" if label.true else "shape" if label.shape else "wrong"
        if counts[sort] >= {"unchanged": UNCHANGED, "shape": SHAPES, "wrong": WRONG}[sort]:
            continue
        if corpus.put(model, original.text(claim), label, original.text(), (kind,)):
            uses[original.text()] += 1
            counts[sort] += 1
            counts["wrong"] += sort == "shape"


def add_twice_wrong(corpus: Corpus, model: Model, judge: Judge, known: list[Original], rng: Random) -> None:
    """Adds claims that are two edits away from true ones."""
    mutator = Mutator(model)
    left = TWICE
    while left:
        original = rng.choice(known)
        first, once = rng.choice(list(mutator.edits(original.claim)))
        second, twice = rng.choice(list(mutator.edits(once)))
        labels = [judge.label(claim) for claim in (once, twice)]
        if all(label and not label.true and not label.shape for label in labels) and labels[1]:
            left -= corpus.put(model, original.text(twice), labels[1], original.text(), (first, second))


def build() -> dict[str, object]:
    """The corpus."""
    torch.set_num_threads(1)
    corpus = Corpus()
    for model in MODELS.values():
        rng = Random(model.name)
        judge = Judge(model)
        known = originals(model, judge, rng)
        left = RIGHT
        for original in rng.sample(known, len(known)):
            left -= left > 0 and corpus.put(model, original.text(), original.label, original.text())
        add_wrong(corpus, model, judge, known, rng)
        add_twice_wrong(corpus, model, judge, known, rng)
    return {"cells": {model.name: model.text for model in MODELS.values()}, "entries": corpus.entries}


def main() -> None:
    corpus = build()
    TARGET.write_text(json.dumps(corpus, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
