"""The colour, marker and line of each codec, the same in all figures and on the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

COLOURS = ("#0a4fa8", "#b85c00", "#12806e", "#7d1450", "#7c6a4d", "#7d4fe6", "#151515")
"""Colours on white. Each has a contrast of at least 4.5:1; any two differ by at least 15 (CIE76) in normal vision and
under simulated protanopia, deuteranopia and tritanopia (Machado et al. 2009, severity 1). Markers differ too."""

COLOURS_DARK = ("#4fa6f5", "#f2701d", "#3ee0a8", "#c77fb6", "#f5d040", "#8c74ff", "#f2f2f2")
"""The same hues on the page's dark background, with the same contrast and distance."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p", "<")
"""Matplotlib's names. With nine shapes and seven colours, pairs repeat after 63 codecs."""

MARKER_PATHS = {
    "o": "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z", "s": "M-3.6-3.6h7.2v7.2h-7.2z", "^": "M0-4.4 4.4 4H-4.4z",
    "D": "M0-4.8 4.8 0 0 4.8-4.8 0z", "v": "M0 4.4 4.4-4H-4.4z",
    "P": "M-1.6-4.6h3.2v3h3v3.2h-3v3h-3.2v-3h-3v-3.2h3z",
    "X": "M-4.6-2.4-2.4-4.6 0-2.2 2.4-4.6 4.6-2.4 2.2 0 4.6 2.4 2.4 4.6 0 2.2-2.4 4.6-4.6 2.4-2.2 0z",
    "p": "M0-4.6 4.4-1.4 2.7 3.7H-2.7L-4.4-1.4z", "<": "M-4.4 0 4-4.4V4.4z",
}  # fmt: skip
"""The markers as SVG paths around the origin, for legends on the page."""

DASHES = ("solid", (0, (5, 1.6)), (0, (1.4, 1.4)))
INK, FAINT, RULE = "#1c1d20", "#7d8087", "#dcdee3"
"""Colours of text, of axes and published curves, and of the grid, as in benchbox.mplstyle."""


@dataclass(frozen=True)
class Look:
    """The look of one codec: the index of its colour in `COLOURS`, matplotlib's marker and dashes."""

    index: int
    marker: str
    dashes: str | tuple[int, tuple[float, ...]]

    @property
    def colour(self) -> str:
        """The colour on white."""
        return COLOURS[self.index]

    @property
    def marker_path(self) -> str:
        """The marker as an SVG path."""
        return MARKER_PATHS[self.marker]

    @property
    def dasharray(self) -> str:
        """The dashes as SVG's ``stroke-dasharray``."""
        return "none" if isinstance(self.dashes, str) else " ".join(f"{1.5 * d:g}" for d in self.dashes[1])


def looks(labels: Sequence[str]) -> dict[str, Look]:
    """Label -> look, by the label's place in the run."""
    return {
        label: Look(k % len(COLOURS), MARKERS[k % len(MARKERS)], DASHES[k // len(COLOURS) % len(DASHES)])
        for k, label in enumerate(labels)
    }
