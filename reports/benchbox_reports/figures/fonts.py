"""The fonts of figures: the family that the author asks for, or its nearest of those installed, and behind it fonts
with the glyphs that it lacks."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

DEFAULT = "DejaVu Sans"
STACKS = {
    "times": ("Times New Roman", "Times", "Nimbus Roman", "TeX Gyre Termes", "Liberation Serif", "Tinos",
              "STIXGeneral"),
    "helvetica": ("Helvetica", "Helvetica Neue", "Arial", "Nimbus Sans", "TeX Gyre Heros", "Liberation Sans", "Arimo"),
    "dejavu": (DEFAULT,),
}
"""Family -> its fonts, and those of the same metrics, in the order of preference. STIXGeneral comes with matplotlib."""
CJK = ("Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans SC", "Noto Sans JP", "Source Han Sans SC",
       "WenQuanYi Zen Hei", "WenQuanYi Micro Hei", "Droid Sans Fallback", "IPAexGothic", "PingFang SC", "MS Gothic",
       "SimHei", "Unifont")  # fmt: skip
"""Fonts with the characters of Chinese, Japanese and Korean names."""


def families(wanted: str | None) -> list[str]:
    """The installed families to draw text with, each for the glyphs that those before it lack."""
    installed = _installed()
    asked = STACKS.get((wanted or DEFAULT).lower(), (wanted or DEFAULT,))
    first = [name for name in asked if name in installed][:1]
    return list(dict.fromkeys([*first, DEFAULT, *(name for name in CJK if name in installed)]))


def note(wanted: str | None, texts: Iterable[str]) -> str:
    """A sentence for the captions: the font that takes the place of one that is not installed, and the characters that
    no font here has; "" where all is as asked."""
    used = families(wanted)
    said = []
    if wanted is not None and wanted.lower() not in (used[0].lower(), "dejavu"):
        said.append(f"{wanted} is not installed; text is set in {used[0]}.")
    lost = missing(texts, tuple(used))
    if lost:
        said.append(f"No font here has the characters {' '.join(lost)}, which are drawn as boxes; install one that "
                    "has, such as Noto Sans CJK.")
    return " ".join(said)


def missing(texts: Iterable[str], used: tuple[str, ...]) -> list[str]:
    """The characters of `texts` that none of the families `used` has a glyph for."""
    has = _glyphs(used)
    return sorted({character for text in texts for character in text if character.isprintable()
                   and not character.isspace() and ord(character) not in has})


@lru_cache(maxsize=16)
def _glyphs(used: tuple[str, ...]) -> frozenset[int]:
    found: set[int] = set()
    for family in used:
        found |= set(FT2Font(font_manager.findfont(family)).get_charmap())
    return frozenset(found)


def _installed() -> set[str]:
    _find_new()
    return {font.name for font in font_manager.fontManager.ttflist}


@lru_cache(maxsize=1)
def _find_new() -> None:
    """Make the fonts known that were installed after matplotlib made its list, which it keeps for ever: else one that
    is installed as `note` advises would never be found."""
    known = {font.fname for font in font_manager.fontManager.ttflist}
    for path in sorted(set(font_manager.findSystemFonts()) - known):
        with suppress(OSError, RuntimeError, ValueError):  # a file that FreeType cannot read
            font_manager.fontManager.addfont(path)
