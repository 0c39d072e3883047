"""Words by which vectors are judged: common knowledge, as text8 spells it (small letters, one word, digits in words)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def _pairs(text: str) -> Sequence[tuple[str, str]]:
    words = text.split()
    return tuple(zip(words[::2], words[1::2], strict=True))


ANALOGIES: Mapping[str, Sequence[tuple[str, str]]] = {
    "country and capital": _pairs(
        """
        france paris germany berlin italy rome spain madrid england london russia moscow japan tokyo china beijing egypt cairo
        greece athens austria vienna poland warsaw hungary budapest portugal lisbon ireland dublin sweden stockholm norway oslo
        denmark copenhagen finland helsinki turkey ankara iran tehran iraq baghdad cuba havana canada ottawa peru lima kenya nairobi
        """
    ),
    "country and people": _pairs(
        """
        france french germany german italy italian spain spanish england english russia russian japan japanese china chinese
        egypt egyptian greece greek austria austrian poland polish hungary hungarian portugal portuguese ireland irish
        sweden swedish norway norwegian denmark danish finland finnish turkey turkish india indian canada canadian mexico mexican
        brazil brazilian
        """
    ),
    "man and woman": _pairs(
        """
        man woman king queen father mother son daughter brother sister husband wife boy girl prince princess he she his her
        him her male female uncle aunt actor actress god goddess himself herself emperor empress men women sons daughters
        brothers sisters boys girls grandfather grandmother
        """
    ),
    "one and many": _pairs(
        """
        car cars city cities country countries language languages computer computers book books game games king kings
        river rivers island islands animal animals plant plants word words song songs film films star stars school schools
        child children man men woman women bird birds tree trees letter letters number numbers
        """
    ),
    "comparative": _pairs(
        """
        large larger small smaller great greater high higher low lower long longer short shorter old older young younger
        strong stronger weak weaker fast faster slow slower good better bad worse early earlier late later big bigger
        easy easier heavy heavier
        """
    ),
    "present and past": _pairs(
        """
        is was are were has had go went come came take took make made give gave begin began become became write wrote
        see saw find found lead led win won fall fell know knew say said think thought hold held
        """
    ),
}
"""Pairs by the relation between them; any two pairs of a relation make a question a : b = c : ?"""

GROUPS: Mapping[str, Sequence[str]] = {
    "numbers": "zero one two three four five six seven eight nine ten hundred thousand million".split(),
    "months": "january february march april may june july august september october november december".split(),
    "countries": "france germany italy spain russia japan china india egypt canada brazil greece".split(),
    "family": "father mother son daughter brother sister wife husband uncle child".split(),
    "colours": "red blue green yellow black white brown purple orange pink".split(),
    "animals": "dog cat horse cow sheep pig bird fish lion wolf".split(),
    "sciences": "physics chemistry biology mathematics astronomy geology psychology economics sociology philosophy".split(),
    "instruments": "guitar piano violin drums bass flute trumpet keyboard".split(),
}
"""Words of a kind; the nearest of all of them should be of the same kind."""

SHOWN = "king france three monday water computer music physics red good island war he".split()
"""Words whose neighbours are printed."""

__all__ = ["ANALOGIES", "GROUPS", "SHOWN"]
