"""benchbox compares image codecs: plugins, sweeps, scores, rate-distortion reports.

The names below are the public API. Those that cost an import of pandas are loaded when first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchbox.codec import Capabilities, Codec, CodecInfo, OptionsModel, QualityAxis
from benchbox.dataset import Dataset, DatasetInfo, FileSample, Sample
from benchbox.hookspecs import hookimpl
from benchbox.image import Image
from benchbox.metric import Display, Metric, Prepared, Scorer
from benchbox.report import Reference, Report, Results

if TYPE_CHECKING:
    from benchbox.api import compare, load, run

__version__ = "0.1.0"

__all__ = [
    "Capabilities", "Codec", "CodecInfo", "Dataset", "DatasetInfo", "Display", "FileSample", "Image", "Metric",
    "OptionsModel", "Prepared", "QualityAxis", "Reference", "Report", "Results", "Sample", "Scorer", "compare",
    "hookimpl", "load", "run",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in ("compare", "load", "run"):
        from benchbox import api

        return getattr(api, name)
    raise AttributeError(f"module 'benchbox' has no attribute '{name}'")
