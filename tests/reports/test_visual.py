"""The visual comparison without a browser: its pictures, crops and error maps."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from benchbox_reports.visual import crop, error_map, parse_targets
from hostile_report import embedded
from PIL import Image as PillowImage

from benchbox.errors import UsageError


def test_what_is_shown_at_matched_rate_is_what_was_measured(report: Path) -> None:
    pictures = embedded(report / "visual.html")["pictures"]
    assert len(pictures) == 3
    for picture in pictures:
        original = np.asarray(PillowImage.open(report / picture["file"]))
        for shot in picture["shots"]:
            decoded = np.asarray(PillowImage.open(report / shot["file"]))
            facts = re.search(r"PSNR ([\d.]+) dB", ", ".join(shot["facts"]))
            assert facts
            error = np.mean((decoded.astype(float) - original) ** 2)
            assert 10 * np.log10(255**2 / error) == pytest.approx(float(facts.group(1)), abs=0.0051)
            assert (report / shot["error"]).is_file()
    assert not list(report.glob("**/*img*"))  # files are numbered, never named after pictures


def test_crops_and_error_maps() -> None:
    assert crop(np.zeros((600, 2000, 3), np.uint8)).shape == (512, 512, 3)
    assert crop(np.zeros((7, 5, 1), np.uint8)).shape == (7, 5, 1)
    black = np.zeros((1, 3, 3), np.uint8)
    brightness = error_map(black, black + np.array([[[0], [8], [40]]], np.uint8)).sum(axis=2)[0]
    assert brightness[0] < brightness[1] < brightness[2]
    assert parse_targets("1, 0.25,1") == [0.25, 1.0]
    for wrong in ("", "a", "0.5,-1", "nan"):
        with pytest.raises(UsageError, match="write the target rates"):
            parse_targets(wrong)
