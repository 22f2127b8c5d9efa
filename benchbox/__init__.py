"""benchbox compares image codecs: plugins, sweeps, scores, rate-distortion reports.

The names below are the public API. Each is loaded when first used, so that `benchbox --help` does not import numpy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchbox.api import bd_rates, compare, load, plot, rd_curves, run
    from benchbox.codec import Capabilities, Codec, CodecInfo, FileOption, OptionsModel, QualityAxis
    from benchbox.dataset import Dataset, DatasetInfo, FileSample, Sample
    from benchbox.hookspecs import hookimpl
    from benchbox.image import Image
    from benchbox.metric import Display, Metric, Prepared, Scorer
    from benchbox.reference import Reference, ReferenceFormat
    from benchbox.report import Report, Results

__version__ = "0.1.0"

__all__ = [
    "Capabilities", "Codec", "CodecInfo", "Dataset", "DatasetInfo", "Display", "FileOption", "FileSample", "Image",
    "Metric", "OptionsModel", "Prepared", "QualityAxis", "Reference", "ReferenceFormat", "Report", "Results", "Sample",
    "Scorer", "bd_rates", "compare", "hookimpl", "load", "plot", "rd_curves", "run",
]  # fmt: skip

_HOMES = {
    "api": ("bd_rates", "compare", "load", "plot", "rd_curves", "run"),
    "codec": ("Capabilities", "Codec", "CodecInfo", "FileOption", "OptionsModel", "QualityAxis"),
    "dataset": ("Dataset", "DatasetInfo", "FileSample", "Sample"),
    "hookspecs": ("hookimpl",),
    "image": ("Image",),
    "metric": ("Display", "Metric", "Prepared", "Scorer"),
    "reference": ("Reference", "ReferenceFormat"),
    "report": ("Report", "Results"),
}
"""module -> its public names"""


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            value = getattr(importlib.import_module(f"benchbox.{module}"), name)
            globals()[name] = value  # the next access finds it without this function
            return value
    raise AttributeError(f"module 'benchbox' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
