"""The colour, marker and dashes of each codec: the same in every report, in all figures and on the page.

A family of codecs has a colour, a codec id has a marker and a variant of it has dashes. All three follow from names,
not from a place in the plan, so that a codec looks the same in two reports. Only where two names in one report would
look alike does the later one, in alphabetical order, take the next free look.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar
from zlib import crc32

Dashes: TypeAlias = str | tuple[int, tuple[float, ...]]
T = TypeVar("T")

COLOURS = (
    "#0a4fa8", "#b85c00", "#12806e", "#7d1450", "#7c6a4d", "#7d4fe6", "#151515", "#b60d22", "#9f3a8a", "#455614",
)  # fmt: skip
"""Colours on white. Each has a contrast of at least 4.5:1; any two differ by at least 13 (CIE76) in normal vision and
under simulated protanopia, deuteranopia and tritanopia (Machado et al. 2009, severity 1). Markers differ too."""

COLOURS_DARK = (
    "#4fa6f5", "#f2701d", "#3ee0a8", "#c77fb6", "#f5d040", "#8c74ff", "#f2f2f2", "#f7403f", "#f5c1f9", "#60ae61",
)  # fmt: skip
"""The colours of the same families on the page's dark background, with the same contrast and distance."""

PUBLISHED, PUBLISHED_DARK = "#5c606a", "#a9adb8"
"""The gray of published curves on white and on the dark background; contrast as above."""

MARKER_PATHS = {
    "o": "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z", "s": "M-3.6-3.6h7.2v7.2h-7.2z", "^": "M0-4.4 4.4 4H-4.4z",
    "D": "M0-4.8 4.8 0 0 4.8-4.8 0z", "v": "M0 4.4 4.4-4H-4.4z",
    "P": "M-1.6-4.6h3.2v3h3v3.2h-3v3h-3.2v-3h-3v-3.2h3z",
    "X": "M-4.6-2.4-2.4-4.6 0-2.2 2.4-4.6 4.6-2.4 2.2 0 4.6 2.4 2.4 4.6 0 2.2-2.4 4.6-4.6 2.4-2.2 0z",
    "p": "M0-4.6 4.4-1.4 2.7 3.7H-2.7L-4.4-1.4z", "<": "M-4.4 0 4-4.4V4.4z", ">": "M4.4 0-4 4.4V-4.4z",
    "*": "M0-5.4 1.3-1.7 5.1-1.7 2 .7 3.2 4.4 0 2.1-3.2 4.4-2 .7-5.1-1.7-1.3-1.7z", "d": "M0-5.2 3 0 0 5.2-3 0z",
}  # fmt: skip
"""Matplotlib's names of the markers, and the markers as SVG paths around the origin for the page."""
MARKERS = tuple(MARKER_PATHS)

DASHES: tuple[Dashes, ...] = (
    "solid", (0, (5, 1.6)), (0, (1.4, 1.4)), (0, (6, 1.6, 1.4, 1.6)), (0, (3, 3)), (0, (6, 1.4, 1.4, 1.4, 1.4, 1.4)),
)
"""Lines of variants: the codec as it comes is solid."""
FILLS = ("full", "none", "left", "right", "top", "bottom")
"""Matplotlib's fill styles of the markers of variants where no line is drawn, in the order of `DASHES`."""

PUBLISHED_DASHES: tuple[Dashes, ...] = (
    (0, (4, 2)), (0, (1, 1.4)), (0, (7, 1.6, 1.2, 1.6)), (0, (2, 3)), (0, (9, 2)), (0, (5, 1.4, 1, 1.4, 1, 1.4)),
)
"""Lines of published curves, none of them solid."""

INK, FAINT, RULE = "#1c1d20", "#7d8087", "#dcdee3"
"""Colours of text, of axes, and of the grid, as in benchbox.mplstyle."""

FAMILIES = {
    "jpeg": ("jpeg", 6, "o"), "mozjpeg": ("jpeg", 6, "d"), "jpegli": ("jpeg", 6, "^"),
    "jpeg2000": ("jpeg2000", 4, "D"), "htj2k": ("jpeg2000", 4, "v"), "jpegxr": ("jpegxr", 8, "P"),
    "jpegxl": ("jpegxl", 2, "X"), "webp": ("webp", 9, "p"), "avif": ("avif", 1, "<"), "heic": ("heic", 5, ">"),
    "vvc": ("vvc", 3, "*"), "resnet": ("resnet", 0, "s"),
}  # fmt: skip
"""Codec id -> family, the index of the family's colour, and marker, for codecs that most reports show. Any other id has
the part before its first hyphen as its family, and a colour and a marker by a checksum of its name."""


@dataclass(frozen=True)
class Look:
    """The look of one curve.

    Attributes:
        family: the family that its colour stands for; "" for published curves.
        colour, dark: its colour on white and on the page's dark background.
        marker: matplotlib's name; "" for none. It is hollow on published curves.
        dashes: matplotlib's line style.
        published: whether it is a published curve, which is drawn thin and below the measured ones.
    """

    family: str
    colour: str
    dark: str
    marker: str
    dashes: Dashes
    published: bool = False

    @property
    def marker_path(self) -> str:
        """The marker as an SVG path, "" for none."""
        return MARKER_PATHS.get(self.marker, "")

    @property
    def fill(self) -> str:
        """Matplotlib's fill style of the marker where points stand alone, without the dashes of a line."""
        return FILLS[DASHES.index(self.dashes)] if self.dashes in DASHES else "none"

    @property
    def dasharray(self) -> str:
        """The dashes as SVG's ``stroke-dasharray`` for a line 2 pixels wide."""
        return "none" if isinstance(self.dashes, str) else " ".join(f"{1.5 * d:g}" for d in self.dashes[1])


def looks(
    codecs: Mapping[str, str], published: Mapping[str, str] | None = None, families: Mapping[str, str] | None = None
) -> dict[str, Look]:
    """The look of every curve of a report.

    Args:
        codecs: label -> codec id, of the measured codecs.
        published: name of a published curve -> the id of its reference.
        families: label or codec id -> family, where the author groups them in another way.

    Returns:
        Label or name -> look, in the order given; no two are alike while there are free ones.
    """
    groups = families or {}
    family = {label: groups.get(label) or groups.get(id_) or family_of(id_) for label, id_ in codecs.items()}
    colours = _colours(dict.fromkeys(sorted(family.values())))
    taken: set[tuple[int, str, Dashes]] = set()
    found: dict[str, Look] = {}
    for label in sorted(codecs, key=lambda name: (name != codecs[name], name)):  # codecs as they come choose first
        id_, colour = codecs[label], colours[family[label]]
        dashes = DASHES if label == id_ else _turned(DASHES[1:], label)
        known = FAMILIES.get(_lossy(id_))
        markers = _turned(MARKERS, id_) if known is None else _from(MARKERS, known[2])
        options = [(colour, marker, dash) for marker in markers for dash in dashes]
        choice = next((option for option in options if option not in taken), options[0])
        taken.add(choice)
        found[label] = Look(family[label], COLOURS[colour], COLOURS_DARK[colour], *choice[1:])
    return {label: found[label] for label in codecs} | _published(published or {})


def palette(looks: Iterable[Look]) -> list[tuple[str, str]]:
    """The colours that `looks` use, each on white and on the dark background; the page numbers them by their place."""
    return list(dict.fromkeys((look.colour, look.dark) for look in looks))


def family_of(codec: str) -> str:
    """The family of a codec id: ``"jpeg"`` for ``"mozjpeg"``, ``"cheng2020"`` for ``"cheng2020-anchor"``."""
    known = FAMILIES.get(_lossy(codec))
    return known[0] if known else codec.partition("-")[0]


def _lossy(codec: str) -> str:
    return codec.removesuffix("-lossless")


def _colours(families: Iterable[str]) -> dict[str, int]:
    """Family -> index of its colour: its own for known families, and for others one by name that is still free."""
    own = {family: colour for family, colour, _ in FAMILIES.values()}
    found = {family: own[family] for family in families if family in own}
    for family in families:
        if family not in found:
            order = _turned(range(len(COLOURS)), family)
            found[family] = next((k for k in order if k not in found.values()), order[0])
    return found


def _published(published: Mapping[str, str]) -> dict[str, Look]:
    taken: set[tuple[str, Dashes]] = set()
    found: dict[str, Look] = {}
    for name in sorted(published, key=lambda name: (published[name], name)):
        options = [(marker, dash) for marker in ("", *MARKERS) for dash in _turned(PUBLISHED_DASHES, published[name])]
        choice = next((option for option in options if option not in taken), options[0])
        taken.add(choice)
        found[name] = Look("", PUBLISHED, PUBLISHED_DARK, *choice, published=True)
    return {name: found[name] for name in published}


def _turned(options: Sequence[T], name: str) -> list[T]:
    """`options`, turned so that the first is chosen by the checksum of `name`."""
    return _from(options, options[crc32(name.encode("utf-8", "replace")) % len(options)])


def _from(options: Sequence[T], first: T) -> list[T]:
    place = options.index(first)
    return [*options[place:], *options[:place]]
