"""Which anchor a report compares with, and how it counts what went wrong."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from encoded_crops import Rows, failed, make, results_of

from benchbox.errors import UnknownIdError


def test_the_anchor_can_be_chosen(crop_rows: Rows, tmp_path: Path) -> None:
    run = results_of(crop_rows)
    make("tables", run, tmp_path, anchor="webp")
    table = pd.read_csv(tmp_path / "tables/bd.csv")
    assert set(table["anchor"]) == {"webp"}
    assert (table["bd_rate_percent"] > 0).all()
    for wrong in ("wbp", "png"):
        with pytest.raises(UnknownIdError, match=f"no codec with a curve that is shown is called '{wrong}'"):
            make("tables", run, tmp_path, anchor=wrong)
    lossless = results_of([row for row in crop_rows if row["label"] == "png"])
    with pytest.raises(UnknownIdError, match="no codec that is shown has a curve; leave the anchor out"):
        make("tables", lossless, tmp_path, anchor="jpeg")


def test_problems_are_counted(crop_rows: Rows, tmp_path: Path) -> None:
    broken = [failed(r, "timeout", "took over 60 s") if (r["label"], r["quality"]) == ("webp", 90) else r
              for r in crop_rows]
    make("tables", results_of(broken), tmp_path)
    (problem,) = pd.read_csv(tmp_path / "tables/problems.csv").to_dict("records")
    assert problem == {"dataset": "crops", "label": "webp", "status": "timeout", "reason": "took over 60 s",
                       "points": 6, "pictures": 6, "example": "crop0.png"}
    assert pd.read_csv(tmp_path / "tables/nulls.csv").empty  # PNG's identical pictures are as they should be
