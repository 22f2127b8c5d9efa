"""The exports and the formats of curve files. What writes or reads them is imported when it is used."""


from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from benchbox import Reference, ReferenceFormat, Report, Results
from benchbox.files import MOST_BYTES


class CompressaiReport(Report):
    """Writes ``compressai/DATASET/LABEL.json`` for CompressAI's ``plot``."""

    def render(self, results: Results, options: Any, out: Path) -> list[Path]:
        from benchbox_interchange.compressai import render

        return render(results, out)


class CodecCompareReport(Report):
    """Writes ``codec-compare/DATASET.json`` and ``codec-compare/DATASET/LABEL.json`` for the page of codec-compare."""

    def render(self, results: Results, options: Any, out: Path) -> list[Path]:
        from benchbox_interchange.codec_compare import render

        return render(results, out)


def _is_batch(path: Path) -> bool:
    """Whether a file looks like a batch of codec-compare. A longer one than any format reads is not read whole."""
    try:
        with path.open("rb") as file:
            return b'"field_values"' in file.read(MOST_BYTES)
    except OSError:
        return False


class CompressaiFormat(ReferenceFormat):
    """Reads a curve from CompressAI's results JSON."""

    def recognises(self, path: Path) -> bool:
        return not _is_batch(path)

    def read(self, path: Path, datasets: Collection[str]) -> Reference:
        from benchbox_interchange.compressai_curves import read_curve

        return read_curve(path, datasets)


class CodecCompareFormat(ReferenceFormat):
    """Reads a batch of codec-compare, picture by picture."""

    def recognises(self, path: Path) -> bool:
        return _is_batch(path)

    def read(self, path: Path, datasets: Collection[str]) -> Reference:
        from benchbox_interchange.codec_compare_curves import read_batch

        return read_batch(path, datasets)


class CsvFormat(ReferenceFormat):
    """Reads curves from a CSV file, picture by picture."""

    def read(self, path: Path, datasets: Collection[str]) -> Reference:
        return self.read_all(path, datasets)[0]

    def read_all(self, path: Path, datasets: Collection[str]) -> Sequence[Reference]:
        from benchbox_interchange.csv_curves import read_curves

        return read_curves(path, datasets)
