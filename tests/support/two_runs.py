"""Results frames of a codec before and after a change, made by formula."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from benchbox.store import COLUMNS


def results(
    pictures: int = 6, points: int = 5, *, rate: float = 1.0, spread: float = 0.0, seed: int = 0, label: str = "mine",
    dataset: str = "folder:d", **more: Any,
) -> pd.DataFrame:  # fmt: skip
    """A frame with the columns of `benchbox.load` and PSNR: a codec that needs `rate` times the bits of the plain one,
    times a factor for each picture of a standard deviation of `spread` in its logarithm. `more` sets columns."""
    factors = rate * np.exp(spread * np.random.default_rng(seed).normal(size=pictures))
    rows = [
        {"run": "r", "dataset": dataset, "sample": f"{k}.png", "codec": "mine", "label": label, "options": "{}",
         "quality": float(q), "device": "cpu", "width": 1000, "height": 1000, "channels": 3, "bit_depth": 8,
         "status": "ok", "reason": "", "bytes": round(12500 * 2.0**q * factors[k]), "exact": False,
         "null_reasons": "{}", "identity": "mine 1", "key": f"{label} {rate} {k} {q}", "sample_sha256": f"picture {k}",
         "stream_sha256": f"{factors[k]} {k} {q}", "pixels_sha256": f"{k} {q}", "psnr": 28.0 + 3 * q, **more}
        for k in range(pictures) for q in range(points)
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    table["bpp"] = 8.0 * table["bytes"] / 1e6
    for column in COLUMNS:
        if column.name not in table:
            table[column.name] = pd.Series(None, index=table.index, dtype=column.dtype)
    return table.astype({column.name: column.dtype for column in COLUMNS})
