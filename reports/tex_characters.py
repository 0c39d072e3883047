"""Characters in LaTeX: which ones pdfTeX's T1 fonts have, and how the others are written. Everything else is named,
never passed on.
"""

from __future__ import annotations

from derive.notation.vocabulary import GREEK_UNICODE

SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}", '"': r"\textquotedbl{}", "`": r"\textasciigrave{}", "|": r"\textbar{}",
    # These do harm only beside certain neighbours (an optional argument, a ligature); the braces keep them to
    # themselves.
    "[": "{[}", "]": "{]}", "*": "{*}", "<": "{<}", ">": "{>}", ",": ",", "-": "-",
    "\u00a0": "~", "\t": " ", "\n": " ", "\r": " ",
}  # fmt: skip

_LATIN = (
    "¡£§«»¿ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿĀāĂăĄąĆćĈĉĊċČčĎďĐđĒēĔĕĖėĘęĚěĜĝĞğĠġĢģĤĥĨĩĪīĬĭĮįİıĲĳĴĵĶķĹĺĻļĽľŁłŃńŅņŇňŊŋŌōŎŏ"
    "ŐőŒœŔŕŖŗŘřŚśŜŝŞşŠšŢţŤťŨũŪūŬŭŮůŰűŲųŴŵŶŷŸŹźŻżŽžǍǎǏǐǑǒǓǔǦǧǨǩǪǫǴǵȘșȚțȷḂḃẞ‐–—‘’‚“”„‰‹›©®°±´µ¶·º¼½¾×÷€†‡•™¢¥¦¨ª¬¯"
)
"""Characters that LaTeX reads as they are, with Latin Modern in T1 and TS1."""

_MATH = {
    "→": r"\rightarrow", "←": r"\leftarrow", "↔": r"\leftrightarrow", "↑": r"\uparrow", "↓": r"\downarrow", "⇒": r"\Rightarrow",
    "⇐": r"\Leftarrow", "⇔": r"\Leftrightarrow", "↦": r"\mapsto", "↪": r"\hookrightarrow", "≤": r"\le", "≥": r"\ge", "≠": r"\ne",
    "≈": r"\approx", "≡": r"\equiv", "∼": r"\sim", "≪": r"\ll", "≫": r"\gg", "∝": r"\propto", "∈": r"\in", "∉": r"\notin", "⊂": r"\subset",
    "⊆": r"\subseteq", "∪": r"\cup", "∩": r"\cap", "∅": r"\emptyset", "∀": r"\forall", "∃": r"\exists", "∂": r"\partial", "∇": r"\nabla",
    "∑": r"\sum", "∏": r"\prod", "∫": r"\int", "√": r"\surd", "∞": r"\infty", "⋅": r"\cdot", "∘": r"\circ", "⊙": r"\odot",
    "⊗": r"\otimes", "⊕": r"\oplus", "∗": r"\ast", "‖": r"\Vert", "∥": r"\parallel", "⊥": r"\perp", "⊤": r"\top", "⟨": r"\langle",
    "⟩": r"\rangle", "ℓ": r"\ell", "ℝ": r"\mathbb{R}", "ℕ": r"\mathbb{N}", "ℤ": r"\mathbb{Z}", "ℂ": r"\mathbb{C}", "′": r"^{\prime}",
    "″": r"^{\prime\prime}",
    "≔": r"\coloneqq", "⌊": r"\lfloor", "⌋": r"\rfloor", "⌈": r"\lceil", "⌉": r"\rceil", "✓": r"\checkmark", "⋯": r"\cdots", "⋮": r"\vdots",
    "▪": r"\blacksquare", "□": r"\square", "■": r"\blacksquare", "∎": r"\blacksquare", "ᵀ": r"^{\top}",
    **{sign: f"\\{name}" for sign, name in GREEK_UNICODE.items()},
}  # fmt: skip

_TEXT = {
    "…": r"\dots{}", "\u2009": r"\,", "\u202f": r"\,", "\u2002": " ", "\u2003": r"\quad{}", "\u2011": "-", "\u2010": "-", "\u2012": "--",
    "\u2015": "---", "−": r"\textminus{}", "\u00ad": r"\-", "\u200b": r"\allowbreak{}", "✗": r"\ensuremath{\times}",
}  # fmt: skip

RAISED = {**{sign: str(digit) for digit, sign in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}, "⁺": "+", "⁻": "-"}
LOWERED = {**{sign: str(digit) for digit, sign in enumerate("₀₁₂₃₄₅₆₇₈₉")}, "₊": "+", "₋": "-"}
"""Small digits and signs; those side by side are one exponent or index."""

_ORDINARY = frozenset(_LATIN) | frozenset(chr(code) for code in range(0x20, 0x7F))

PLAIN: dict[str, str] = {
    **{char: char for char in _ORDINARY},
    **{char: f"\\ensuremath{{{command}}}" for char, command in _MATH.items()},
    **_TEXT,
}
"""How each character that can be shown is written, TeX's special characters aside."""


def missing(char: str) -> str:
    """What stands for a character that the fonts do not have: its number, in a small box."""
    return f"\\missingcharacter{{{ord(char):04X}}}"
