"""benchbox_interchange: a run's measurements in the formats of other tools, so that their plots and pages show them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchbox import Report, Results, hookimpl


@dataclass(frozen=True)
class CompressaiReport(Report):
    """``compressai/DATASET/LABEL.json`` for CompressAI's ``plot``."""

    def render(self, results: Results, options: Any, out: Path) -> list[Path]:
        from benchbox_interchange.compressai import render

        return render(results, out)


@dataclass(frozen=True)
class CodecCompareReport(Report):
    """``codec-compare/DATASET.json`` and ``codec-compare/DATASET/LABEL.json`` for the page of codec-compare."""

    def render(self, results: Results, options: Any, out: Path) -> list[Path]:
        from benchbox_interchange.codec_compare import render

        return render(results, out)


@hookimpl
def benchbox_reports() -> list[Report]:
    """The two exports."""
    return [
        CompressaiReport("compressai", "mean curves as CompressAI's results JSON, for its compressai.utils.plot"),
        CodecCompareReport("codec-compare", "one row a picture and quality as batch JSON, for codec-compare's page"),
    ]
