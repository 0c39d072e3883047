"""Words by which people say what a letter is: those that announce a meaning, those between a name and its meaning, and those by which it is
something else after all.
"""

from __future__ import annotations

import re

_VERBS = r"""
    let(?!\s+us\b|['’]s\b) | where | wherein | whereby | define[sd]? | denot(?:e|es|ed|ing) | (?<!the\ )set(?:ting)?
    | (?<!can\ )(?<!now\ )writ(?:e|ing) | call(?:ed)? | abbreviat\w* | introduc\w* | put | suppose | assum\w*
    | sei(?:en)? | wobei | setzen? | bezeichne\w* | definieren? | nenne\w*
"""
_AFTER = r"(?:\s+(?!respect\b|for\b|it\b|this\b|that\b)[\w'’-]+,?){0,4}\s*[:,]?\s*\Z"
WORDS = re.compile(rf"\b(?:{_VERBS}){_AFTER}", re.IGNORECASE | re.VERBOSE)
BESIDE = re.compile(r"\b(?:with|mit|given|gegeben|consider)\s*:?\s*\Z", re.IGNORECASE)
"""Words that announce a meaning only where they stand right before the formula: "with respect to" says nothing of a name."""
_WHAT = (
    r"(?:(?:vector|gradient|error|matrix|product|adjoint|quantity|derivative|sum|input|value|jacobian|pre-activation|vektor|gradienten?|fehler|"
    r"produkt|ableitung|summe|eingabe|wert|jacobi-?matrix)(?:\s+matrix)?)"
)
BETWEEN = re.compile(
    r"\s*,?\s*\(?(?:then\s+)?(?:(?:is\s+)?defined\s+(?:as|by|to\s+be)|to\s+be|that\s+is|i\.e\.|be|is|as|by|for|denotes?|means?|represents?|"
    r"stands?\s+for|equals?|gleich|sei|ist|für|mit|durch|bezeichnet|bedeutet)\b,?"
    rf"(?:\s+(?:the|a|an|der|die|das|den))?(?:\s+{_WHAT}\b)?\s*\Z",
    re.IGNORECASE,
)
"""Words between a name and its meaning, or a meaning and its name."""
ENDS = re.compile(
    r"(?<![.!?;])(?<!\bi\.e)(?<!\be\.g)(?<!w\.r\.t)(?<!\bz\.B)(?<!\bd\.h)(?<!\bcf)(?<!\bbzgl)[.!?;](?=\s|\Z)"
    r"|\n\s*\n|\n\s*(?:[-*|+]|\d+[.)])\s|\\item\b|\\\\|\\(?:sub)*(?:section|paragraph)\b\*?(?:\s*\{[^{}]*\})?|^#{1,6} ",
    re.MULTILINE,
)
"""Where a sentence, an item of a list or a row of a table ends."""
OF_LOSS = re.compile(r"\s*(?:with respect to|by|nach|bezüglich|w\.r\.t\.)\s*\Z", re.IGNORECASE)
NAMES = re.compile(
    r"\b(?:mean|means|denotes?|denoted|denoting|use|uses|call|called|writes?|written|is(?!\s+(?:then\s+|now\s+|also\s+)?\w+ed\b)|stands?|equals?|name[ds]?|be|sei|bezeichne\w*|bezeichnet|schreib\w*"
    r"|kürz\w*|heiß\w*|nenn\w*|abbreviat\w*|steht|stehe|meinen?|gleich|represents?"
    r"|defined?|that is|das heißt)\b|\A\s*[:|]|[:|]\s*(?:the\b|der\b|die\b|\Z)",
    re.IGNORECASE,
)
"""Words of a sentence that says what a letter is."""
BY = re.compile(
    r"\b(?:gradient|derivative|adjoint|gradienten?|ableitung)\b.*\b(?:to|by|nach|of|von|bezüglich|respect)\b"
    r"(?:\s+(?:the|der|die|das|dem))?(?:\s+(?:hidden\s+)?(?:state|pre-activation|zustand|voraktivierung))?\s*\Z",
    re.IGNORECASE | re.DOTALL,
)
"""Words between a name and that by which the loss is differentiated."""
LEADS = re.compile(
    r"[\s,(:]*(?:(?:then|now|here|just|simply|again|is|are|be|being|denotes?|means?|represents?|stands?|equals?|as|for|to|which|that|its|our|the|an?|"
    r"total|usual|partial|full|vector|matrix|column|row|of|defined|called|by|i\.e\.|error|signal|shorthand|dann|nun|hier|sei|ist|bezeichne\w*|bedeutet|steht|für|als|"
    r"der|die|das|den|dem|eine?|totale\w*|vektor)[\s,(:]+)*(?:\w+[ -])?(?:gradient|derivative|adjoint|ableitung)",
    re.IGNORECASE,
)
"""Words that lead from a name to the derivative that it is, without another statement in between."""


ALTERED = re.compile(
    r"\s*(?:.*\b)?(?:times|twice|half|double|thrice|minus|plus|negative|opposite|squared?|transposed?|inverse|without|only|scaled|divided|last|"
    r"mean|average|mal|halbe?|hälfte|doppelte?|zweifache|transponierte|inverse|ohne|nur|geteilt|letzten?|mittlere|mittel)\b",
    re.IGNORECASE,
)
"""Words between a name and a formula by which it is something else than the formula."""
OF = re.compile(
    r"\b(?:of|by|to|at|for|in|from|with|than|on|and|or|that|if|when|as|von|nach|durch|mit|auf|für|bei|und|oder|wenn|dass)(?:\s+(?:the|der|die|das))?(?:\s+\w+)?\s*\Z",
    re.IGNORECASE,
)
"""Words before a formula that is not what its sentence is about."""
CLOSED = re.compile(r"\s*(?:[.,;:!?)]|\Z|\n\s*\n)")
"""What follows a formula with which its clause ends."""
OTHER = re.compile(r"\b(?:and|und|at|an|that|of|von|to|zu|from|aus|with|but|aber|or|oder)\b", re.IGNORECASE)
"""Words between two formulas of which neither is said to be the other."""


def speaks_of_others(words: str) -> bool:
    """Whether words speak of what holds elsewhere, or deny what follows: ``in other books``, ``one might think that``.

    >>> [speaks_of_others(words) for words in ("Note that it is not", "Some authors write", "Note that it is")]
    [True, True, False]
    """
    return OTHERS.search(words) is not None


OTHERS = re.compile(
    r"\b(?:not|never|no\s+longer|nicht|nie|kein\w*|might|would|could|könnte|würde|instead|stattdessen|statt|anstelle|unlike|"
    r"(?:other|some|many|several|andere\w*|manche\w*)\s+(?:books?|authors?|texts?|papers?|sources?|people|bücher\w*|autor\w*|texte\w*|quellen)|"
    r"elsewhere|anderswo|tempting|mistakes?|misprints?|slips?|false|wrong|incorrect\w*|mistaken\w*|versehentlich|irrtümlich\w*|falsch\w*|häufiger\s+fehler|"
    r"edition|corrected|crossed|claims|(?:linear|scalar|special|simple|lineare\w*|skalare\w*)\s+(?:case|fall)|"
    r"for\s+(?:small|large|relu|linear)\w*|für\s+(?:kleine|große|relu|lineare)\w*)\b|n['’]t\b",
    re.IGNORECASE,
)
HERE = re.compile(r"\A\s*(?:here|hier|as usual|wie üblich)\b", re.IGNORECASE)
"""Words at the start of a sentence that says what a letter is."""
CONDITION = re.compile(r"\s*(?:if|when|at|for|in|wenn|falls|bei|für|im)\b", re.IGNORECASE)
"""Words at the start of a sentence that says when something holds."""
STARTS = re.compile(
    r"\s*,?\s*(?:be|is|are|denotes?|means?|equals?|stands?\s+for|represents?|sei|ist|bezeichnet|bedeutet)\b",
    re.IGNORECASE,
)
SIGN = re.compile(
    r"\s*(?:[:|=&,(]|-{1,3}|\.{3}|–|—)?\s*(?:the|der|die|das)?\s*(?:(?:vector|usual|total)\s+)?(?:gradient|derivative|adjoint|ableitung)?\s*",
    re.IGNORECASE,
)
"""What stands between a name and its meaning in a list or a table."""
SUBORDINATE = re.compile(
    r"\A\W*(?:while|since|as|although|though|once|because|if|when|whenever|unless|until|given that|"
    r"während|da|weil|obwohl|sobald|wenn|falls|bevor|nachdem)\b",
    re.IGNORECASE,
)
"""Words at the start of a sentence of which the first part is not what it says."""
COMPARED = re.compile(
    r"\b(?:smaller|larger|greater|less|more|than|approximately|about|nearly|roughly|close|near|below|above|under|over|beside|next|proportional|similar|"
    r"kleiner|größer|als|ungefähr|etwa|fast|nahe|unter|über|neben|ähnlich|proportional)\b",
    re.IGNORECASE,
)
"""Words by which one thing is compared with another, or stands beside it."""
OF_THE_LOSS = re.compile(
    r"\A\s*(?:and\s+|und\s+)?(?:(?:the|our|this|der|die|das)\s+(?:\w+\s+)?)?(?:loss|cost|objective|verlust\w*|kosten\w*)?\s*\Z",
    re.IGNORECASE,
)
"""Words with which a sentence about the loss begins."""
THAT_IS = re.compile(r"\b(?:that is|das heißt)\b", re.IGNORECASE)
SAID = re.compile(r"\b(?:denotes?|represents?|means?|stands?\s+for|bezeichnet|bedeutet)\b", re.IGNORECASE)


FORMULA = "\N{DOTTED CIRCLE}"
"""What stands in the words of a sentence for a formula."""


def sentence(words: str) -> str:
    """The words of the sentence in which a formula stands, up to the formula.

    >>> sentence("It is so, e.g. here. Let also ")
    ' Let also '
    """
    return ENDS.split(words)[-1]


def first_words(words: str) -> str:
    return re.split(r"[.!?;,$]|\n\s*\n", words)[0]


def plain(words: str) -> str:
    return re.sub(r"\\[A-Za-z]+\*?|[{}*_#$]", " ", words)


__all__ = [
    "ALTERED",
    "BESIDE",
    "BETWEEN",
    "BY",
    "CLOSED",
    "COMPARED",
    "CONDITION",
    "ENDS",
    "FORMULA",
    "HERE",
    "LEADS",
    "NAMES",
    "OF",
    "OF_LOSS",
    "OF_THE_LOSS",
    "OTHER",
    "SAID",
    "SIGN",
    "STARTS",
    "SUBORDINATE",
    "THAT_IS",
    "WORDS",
    "first_words",
    "plain",
    "sentence",
    "speaks_of_others",
]
