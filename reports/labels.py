"""The few words that a sheet says by itself, in each language."""

from __future__ import annotations

import re
from collections.abc import Mapping

_ENGLISH = {
    "answer": "Answer", "question": "Question", "result": "Result", "hint": "Hint", "note": "Note", "warning": "Warning",
    "figure": "Figure", "table": "Table", "listing": "Listing",
    "contents": "Contents", "source": "Source",
    "variant": "Variant", "questions": "Questions", "hints": "Questions with hints", "marks": "marks", "mark": "mark", "total": "total",
    "worth": "Marks", "expected": "What is expected", "marking": "Marking",
}  # fmt: skip
_GERMAN = {
    "answer": "Lösung", "question": "Aufgabe", "result": "Ergebnis", "hint": "Hinweis", "note": "Anmerkung", "warning": "Achtung",
    "figure": "Abbildung", "table": "Tabelle", "listing": "Programm", "contents": "Inhalt", "source": "Quelle",
    "variant": "Variante", "questions": "Aufgaben", "hints": "Aufgaben mit Hinweisen", "marks": "Punkte", "mark": "Punkt",
    "total": "gesamt", "worth": "Punkte", "expected": "Was erwartet wird", "marking": "Bewertung",
}  # fmt: skip

LANGUAGES: Mapping[str, Mapping[str, str]] = {"en": _ENGLISH, "de": _GERMAN}


def labels(language: str) -> Mapping[str, str]:
    """The words for a language; English where the language is not known.

    >>> labels("de")["answer"]
    'Lösung'
    """
    return LANGUAGES.get(language.split("-")[0].lower(), _ENGLISH)


_IN_ANOTHER_LANGUAGE = re.compile(r"\s*\{(en|de):\s*((?:[^{}]|\{[^{}]*\})*)\}")


def in_language(text: str, language: str) -> str:
    """A title in a language, where it is given in it.

    >>> in_language("Answer sheet {de: Lösungen}", "de"), in_language("Answer sheet {de: Lösungen}", "en")
    ('Lösungen', 'Answer sheet')
    """
    others = {match[1]: match[2] for match in _IN_ANOTHER_LANGUAGE.finditer(text)}
    return others.get(language, _IN_ANOTHER_LANGUAGE.sub("", text)) if others else text


def callout_label(kind: str, language: str) -> str:
    """The title of a callout that has none of its own."""
    return labels(language)[kind]


def marks_of(marks: str, language: str) -> str:
    """What a question is worth, in words.

    >>> marks_of("4", "en"), marks_of("1", "de"), marks_of("0.75", "de")
    ('4 marks', '1 Punkt', '0,75 Punkte')
    """
    written = marks.replace(".", ",") if language.startswith("de") else marks
    return f"{written} {labels(language)['mark' if marks == '1' else 'marks']}"
