"""What a report is to benchbox: results in, files out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchbox.codec import OptionsModel
from benchbox.image import Image
from benchbox.metric import Metric
from benchbox.reference import Reference

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Results:
    """All that a report is made from.

    Attributes:
        name: the run's name.
        frame: one row an operating point and picture; columns as in `benchbox.store.COLUMNS` and one a metric.
        metrics: the run's metrics, in the plan's order.
        plan: the plan as TOML text.
        environment: versions, CPU, OS, times; JSON-like.
        dataset_notes: data set id -> what every report must say of it.
        codec_settings: label -> {"id", "title", "identity", "options", "axis", "device"} of each codec configuration.
        references: published curves to lay under ours.
        pixels: decoded picture of a row by its `key`, from kept streams; raises BenchboxError when it is gone.
        original: source picture of a row by its `key`.
    """

    name: str
    frame: pd.DataFrame
    metrics: Sequence[Metric]
    plan: str
    environment: Mapping[str, Any]
    dataset_notes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    codec_settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    references: Sequence[Reference] = ()
    pixels: Callable[[str], Image] | None = None
    original: Callable[[str], Image] | None = None


@dataclass(frozen=True)
class Report(ABC):
    """A kind of report; plugins subclass it and list instances in their hook.

    Attributes:
        id: e.g. ``"page"``; what ``benchbox report RUN --format ID`` names.
        title: one line for ``benchbox list reports``.
        Options: validated options.
        default: whether a run makes it without being asked.
    """

    id: str
    title: str
    Options: type[OptionsModel] = OptionsModel
    default: bool = False

    @abstractmethod
    def render(self, results: Results, options: Any, out: Path) -> list[Path]:
        """Write the report below the folder `out` (it exists) and return the files, the one to open first."""


