"""Codecs look different from each other and have contrast on the page's light and dark background."""

from __future__ import annotations

import numpy as np
from benchbox_reports.look import COLOURS, COLOURS_DARK, MARKER_PATHS, MARKERS, looks


def test_looks_differ_and_stand_out() -> None:
    styles = looks([str(k) for k in range(63)])
    assert len({(style.index, style.marker) for style in styles.values()}) == 63
    assert set(MARKERS) == set(MARKER_PATHS)

    def luminance(colour: str) -> float:
        c = np.array([int(colour[k:k + 2], 16) for k in (1, 3, 5)]) / 255
        return float(np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) @ (0.2126, 0.7152, 0.0722))

    for colour in COLOURS:
        assert 1.05 / (luminance(colour) + 0.05) >= 4.5, colour
    for colour in COLOURS_DARK:
        assert (luminance(colour) + 0.05) / (luminance("#16181d") + 0.05) >= 4.5, colour
