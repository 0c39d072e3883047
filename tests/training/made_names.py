"""Names of three languages that the tests make themselves."""

from __future__ import annotations

import random
from pathlib import Path

ENDINGS = {"English": ("son", "ley", "er"), "Portuguese": ("eira", "es", "o"), "Russian": ("ov", "in", "sky")}


def write_names(folder: Path, count: int = 60) -> Path:
    """``folder`` with names in the layout of the official archive."""
    rng = random.Random(5)
    home = folder / "data" / "names"
    home.mkdir(parents=True)
    for language, endings in ENDINGS.items():
        names = {_name(rng) + rng.choice(endings) for _ in range(count)}
        (home / f"{language}.txt").write_text("\n".join(sorted(names)) + "\n", encoding="utf-8")
    return folder


def _name(rng: random.Random) -> str:
    syllables = [rng.choice("bdfgklmnprst") + rng.choice("aeiou") for _ in range(rng.randint(1, 2))]
    return "".join(syllables).capitalize() + rng.choice("lmnrst")
