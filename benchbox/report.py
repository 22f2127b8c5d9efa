"""A report turns the results of a run into files."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchbox.appearance import PLAIN, Appearance
from benchbox.codec import OptionsModel
from benchbox.image import Image
from benchbox.metric import Metric
from benchbox.reference import Reference
from benchbox.stated import Stated, stated

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Results:
    """Everything that a report is made from.

    Attributes:
        name: the run's name.
        frame: one row for each operating point and picture; the columns that ``benchbox list columns`` shows, and one
            for each metric.
        metrics: the run's metrics, in the plan's order.
        plan: the plan as TOML text.
        environment: versions, CPU, operating system and times of each session; JSON-like.
        dataset_notes: data set id -> the sentences that every report must print about it.
        codec_settings: label -> {"id", "title", "identity", "options", "axis", "device"} of each codec configuration;
            where points of it may not be comparable also "note", a sentence that every report must print.
        references: published curves to draw with the run's own.
        pixels: key of a row -> its decoded picture, from the kept stream; raises BenchboxError where the stream is
            gone. None for a published folder, which has no streams.
        original: key of a row -> its source picture; raises BenchboxError where the data set is gone.
        appearance: the plan's table ``[report]`` and its flags. The codecs and metrics that it selects and renames are
            those of the frame already, and its `labels` lead from names shown to the run's own; colours, ranges, widths
            and fonts are for the report to use.
        left_out: codec -> why the run has none of its points, where the plan calls the codec optional.
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
    appearance: Appearance = PLAIN
    left_out: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Report(Stated, ABC):
    """A kind of report; plugins subclass it and list instances in their hook. Each attribute is an argument, or is
    written on the subclass.

    Attributes:
        id: e.g. ``"page"``; ``benchbox report RUN --format ID`` names it.
        title: one line for ``benchbox list reports``.
        Options: the model that validates this report's options.
        default: whether every run writes it.
    """

    id: str = stated(str)
    title: str = stated(str)
    Options: type[OptionsModel] = stated(type, default=OptionsModel)
    default: bool = stated(bool, default=False)

    @abstractmethod
    def render(self, results: Results, options: Any, out: Path) -> list[Path]:
        """Write the report below `out`, a folder that exists.

        Args:
            results: the run.
            options: an instance of `Options`.
            out: where the files go; writing elsewhere raises PermissionError, except into temporary and cache files.

        Returns:
            The files written; the first is the one to open.

        Raises:
            BenchboxError: the run has nothing that this report can show; says why.
        """

    def plot(self, results: Results, dataset: str, metric: str, axes: Any) -> bool:
        """Draw a run's rate-distortion curves into a matplotlib Axes for `benchbox.plot`, which asks the reports in
        turn.

        Args:
            results: the run.
            dataset: one of its data sets.
            metric: the id of one of its metrics.
            axes: where to draw; None: only say whether this report draws.

        Returns:
            Whether this report draws; the default does not.
        """
        return False


def to_csv(frame: pd.DataFrame) -> str:
    """A table as CSV. A text that a spreadsheet would run as a formula, as ``=cmd()`` in a label, gets a ``'`` in
    front, by which spreadsheets know it for text."""
    texts = frame.select_dtypes(exclude=["number", "bool", "boolean"])
    shown = frame.assign(**{str(name): _inert_column(frame[name]) for name in texts})
    return str(shown.rename(columns=_inert).to_csv(index=False, lineterminator="\n"))


def _inert_column(column: pd.Series) -> pd.Series:
    """A column with every text inert; the column itself where all are, as nearly always: many rows share few texts."""
    try:
        if all(_inert(cell) == cell for cell in column.dropna().unique()):
            return column
    except TypeError:  # lists and dicts have no hash
        pass
    return column.map(_inert, na_action="ignore")


def _inert(cell: object) -> object:
    if not isinstance(cell, str):
        return cell
    text = cell.replace("\r", " ")  # which ends a row, quoted or not
    if not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text
