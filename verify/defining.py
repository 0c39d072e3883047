"""Whether a sentence does nothing but give a letter its meaning. The words of such sentences are few and those of others without end,
so that these are listed: with any other word ("in a linear network", "a careless reader takes") the meaning of the letter is left open.
"""

from __future__ import annotations

import re

from verify.claims import Claim
from verify.wording import ENDS, plain

DEFINING = frozenset(
    """
    let where wherein with define defines defining defined definition denote denotes denoted denoting write writes written set
    sets put call calls called use uses using used abbreviate abbreviated abbreviation shorthand short introduce introducing
    introduced notation convention recall remember note reminder mean means meaning stand stands name named symbol letter a an the
    this these that which its it is are be being as by of to at in from on for into and or so then thus hence therefore here now
    again also first next below above we us our i you one they following follows have has having holds get compute given i.e
    w.r.t namely error errors signal signals gradient gradients derivative derivatives differential partial total full adjoint
    adjoints cotangent delta deltas sensitivity local backpropagated propagated backward flowing arriving loss cost objective
    respect pre-activation preactivation preactivations activation activations net input state states hidden cell unit units
    neuron neurons layer output outputs gate gates step steps time times timestep sequence vector vectors column row entry entries
    quantity quantities variable recursion rule chain every each all any index unrolled network rnn lstm gru sei seien wobei wo
    mit definiere definieren definiert bezeichne bezeichnet bezeichnen setze setzen setzt schreibe schreiben nenne nennen heiße
    heißt heißen abkürzung kurz führe führen ein sowie und oder als für von vom zu zur zum nach am im dem den der die das des eine
    einen eines einer man wir ich es ist sind werde werden gilt dann somit damit daher hier nun dabei gradienten ableitung
    ableitungen fehler fehlersignal adjungierte verlust verlusts verlustes verlustfunktion kosten bezüglich bzgl bzw d.h z.b
    zustand zustands zustandes zustände voraktivierung aktivierung neuronen schicht ausgabe zeitschritt schritt zeit zeitpunkt
    jeden jedem alle vektor größe größen rekursion course lecture sheet chapter text solution document legend glossary vorlesung
    blatt kurs skript lösung legende gelte summed accumulated
    """.split()
)
"""Words of sentences that say what a letter is."""
_FORMULA = re.compile(r"\$[^$]*(?:\$|\Z)|\\\(.*?(?:\\\)|\Z)", re.DOTALL)
"""Formulas in the words behind one."""


def only_defines(claim: Claim) -> bool:
    """Whether the sentence of an equation has no other words than those of definitions.

    >>> from derive.notation.source import Source
    >>> from verify.document import formulas_of
    >>> from verify.sentences import all_claims
    >>> text = "Let $a = b$ be the error. In a linear network, $c = d$."
    >>> [only_defines(claim) for _, claim in all_claims(formulas_of(Source(text, "text")))]
    [True, False]
    """
    behind, *rest = ENDS.split(_FORMULA.sub(" ", claim.after))
    if not rest:
        behind = re.sub(r"\S*\Z", "", behind)  # the word in which the stretch that is looked at ends
    words = re.findall(r"[^\W\d_][\w.'’-]*(?<![.'’-])", plain(f"{claim.sentence} {behind}").lower())
    return all(word in DEFINING for word in words if len(word) > 1)


__all__ = ["DEFINING", "only_defines"]
