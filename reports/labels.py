"""The few words that a sheet says by itself, in each language."""

from __future__ import annotations

from collections.abc import Mapping

_ENGLISH = {
    "answer": "Answer", "question": "Question", "result": "Result", "note": "Note", "warning": "Warning",
    "figure": "Figure", "table": "Table", "listing": "Listing",
    "contents": "Contents", "source": "Source",
}  # fmt: skip
_GERMAN = {
    "answer": "Lösung", "question": "Aufgabe", "result": "Ergebnis", "note": "Anmerkung", "warning": "Achtung", "figure": "Abbildung",
    "table": "Tabelle", "listing": "Programm", "contents": "Inhalt", "source": "Quelle",
}  # fmt: skip

LANGUAGES: Mapping[str, Mapping[str, str]] = {"en": _ENGLISH, "de": _GERMAN}


def labels(language: str) -> Mapping[str, str]:
    """The words for a language; English where the language is not known.

    >>> labels("de")["answer"]
    'Lösung'
    """
    return LANGUAGES.get(language.split("-")[0].lower(), _ENGLISH)


def callout_label(kind: str, language: str) -> str:
    """The title of a callout that has none of its own."""
    return labels(language)[kind]
