"""The curves and comparisons of a run, computed once for all reports; nothing here draws or writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchbox import curves
from benchbox.curves import Bd, BdOverPictures, Curve, LeftOut, Lossless, MetricTable, PictureTable, RateTable
from benchbox.errors import UnknownIdError, did_you_mean
from benchbox.metric import Metric
from benchbox.naming import public
from benchbox.reference import Reference
from benchbox.report import Results
from benchbox_reports.nothing import why_nothing

Floats: TypeAlias = NDArray[np.float64]

_NEEDED = ("dataset", "sample", "label", "codec", "quality", "status", "reason", "bytes", "bpp", "exact",
           "null_reasons")
"""Columns that curves are made from, beside those of the metrics: the digests of a million rows take long to copy."""


@dataclass(frozen=True)
class Comparison:
    """One codec against the anchor.

    Attributes:
        label: the codec.
        rate: BD-rate on the mean curves.
        gain: BD-metric on the mean curves.
        pictures: BD-rate picture by picture.
        published: whether one of the two is a published curve.
    """

    label: str
    rate: Bd
    gain: Bd
    pictures: BdOverPictures
    published: bool


@dataclass(frozen=True, eq=False)
class PublishedCurve:
    """A published curve by one metric.

    Attributes:
        reference: the curve as published.
        curve: its points that have both rate and value, by rising rate; `curve.label` is its name in legends and
            tables, unique within a data set.
    """

    reference: Reference
    curve: Curve


@dataclass(frozen=True, eq=False)
class Pairs:
    """All curves of a section against each other: first the measured ones, by mean curves and picture by picture; then
    the published ones, which have no single pictures and are compared by mean curves only.

    Attributes:
        labels: N names, measured curves first.
        rates: BD-rates on mean curves, N x N.
        gains: BD-metrics on mean curves, N x N.
        pictures: BD-rates of single pictures, of the measured curves only.
    """

    labels: tuple[str, ...]
    rates: RateTable
    gains: MetricTable
    pictures: PictureTable

    def compare(self, anchor: str, test: str) -> Comparison:
        """The label `test` against the label `anchor`."""
        i, j = self.labels.index(anchor), self.labels.index(test)
        published = [name for name in (anchor, test) if name not in self.pictures.labels]
        over = self.pictures.summary(anchor, test) if not published else BdOverPictures(
            anchor, test, None, None, None, None, None, 0, 0, {}, f"{published[0]} has no values of single pictures")
        return Comparison(test, self.rates.bd(i, j), self.gains.bd(i, j), over, bool(published))

    @cached_property
    def against(self) -> Mapping[str, tuple[Comparison, ...]]:
        """Anchor -> all other labels against it."""
        return {anchor: tuple(self.compare(anchor, label) for label in self.labels if label != anchor)
                for anchor in self.labels}


@dataclass(frozen=True, eq=False)
class Section:
    """One data set scored by one metric.

    Attributes:
        dataset, metric: what the section is about.
        curves: mean curves of all lossy labels, over `n_used` of the data set's `n_pictures` pictures.
        n_pictures: pictures of the data set.
        n_used: pictures that the mean curves are over.
        left_out: pictures that no mean includes, each with a codec that has no value on it and the reason.
        mean_bytes: label -> mean stream length in bytes at each point of its curve; NaN where it has no mean.
        anchor: label that `comparisons` compare with; None where it has no curve here.
        comparisons: every other label against `anchor`.
        pairs: every label against every other; None where no codec has a curve.
        lossless: lossless codecs, which have no curve.
        published: published curves on this data set.
        no_values: why there is nothing to draw, or "".
    """

    dataset: str
    metric: Metric
    curves: tuple[Curve, ...]
    n_pictures: int
    n_used: int
    left_out: tuple[LeftOut, ...]
    mean_bytes: Mapping[str, Floats]
    anchor: str | None
    comparisons: tuple[Comparison, ...]
    pairs: Pairs | None
    lossless: tuple[Lossless, ...]
    published: tuple[PublishedCurve, ...]
    no_values: str

    @property
    def drawable(self) -> tuple[Curve, ...]:
        """The curves with at least one usable point."""
        return tuple(curve for curve in self.curves if curve.usable.any())


@dataclass(frozen=True)
class Analysis:
    """A whole run, with its data sets under their public names (`benchbox.naming.public`).

    Attributes:
        results: the run.
        labels: all labels, in the run's order.
        anchor: label that BD-rates compare with; None where no codec is lossy.
        method: interpolation of BD-rates.
        sections: one for each data set and metric.
        lossless: lossless codecs, for each data set.
    """

    results: Results
    labels: tuple[str, ...]
    anchor: str | None
    method: str
    sections: tuple[Section, ...]
    lossless: tuple[Lossless, ...]

    @cached_property
    def codecs(self) -> Mapping[str, str]:
        """Label -> codec id."""
        known = self.results.frame[["label", "codec"]].drop_duplicates("label")
        ids = dict(zip(known["label"].astype(str), known["codec"].astype(str), strict=True))
        return {label: ids[label] for label in self.labels}

    @cached_property
    def published(self) -> Mapping[str, str]:
        """Name of each published curve -> the id of its reference."""
        references = self.results.references
        return dict(zip(published_names(references), (r.id for r in references), strict=True))


def analyse(results: Results, anchor: str | None = None, method: str = "pchip") -> Analysis:
    """Compute the curves and comparisons of a run.

    Args:
        results: the run.
        anchor: label or codec id to compare with, or the id or title of one of the run's references; None: ``jpeg`` if
            the run has it, else the first lossy codec.
        method: interpolation of BD-rates.

    Raises:
        UnknownIdError: no lossy codec or reference of the run is called `anchor`.
    """
    results = public(results)
    frame = results.frame
    labels = _order([*results.codec_settings, *frame["label"].drop_duplicates()], frame)
    names = published_names(results.references)
    chosen = choose_anchor(frame, labels, anchor, results.references)
    slim = frame[[name for name in (*_NEEDED, *(metric.column for metric in results.metrics)) if name in frame]]
    lossless = tuple(curves.lossless(slim))
    sections = [
        _section(results, names, rows, str(dataset), metric,
                 chosen, tuple(item for item in lossless if item.dataset == dataset), method)
        for dataset in frame["dataset"].drop_duplicates()
        for rows in [slim[(slim["dataset"] == dataset).to_numpy(dtype=bool)]] for metric in results.metrics
    ]
    return Analysis(results, labels, chosen, method, tuple(sections), lossless)


def published_names(references: Sequence[Reference]) -> tuple[str, ...]:
    """The name of each published curve in legends and tables: its title, and its id where two on one data set share
    their title."""
    shared = Counter((reference.dataset, reference.title) for reference in references)
    return tuple(
        f"{r.title}, {r.kind}" if shared[r.dataset, r.title] == 1 else f"{r.title} ({r.id}), {r.kind}"
        for r in references
    )


def choose_anchor(
    frame: pd.DataFrame, labels: Sequence[str], wanted: str | None, references: Sequence[Reference] = ()
) -> str | None:
    """The label to compare with; see `analyse`."""
    lossy = frame.loc[frame["quality"].notna(), ["label", "codec"]].drop_duplicates("label", keep="last").astype(str)
    codec = dict(zip(lossy["label"], lossy["codec"], strict=True))
    candidates = [label for label in labels if label in codec]
    if wanted is not None:
        found = [label for label in candidates if label == wanted] or [la for la in candidates if codec[la] == wanted]
        found = found or [name for name, reference in zip(published_names(references), references, strict=True)
                          if wanted in (reference.id, reference.title, name)]
        if not found:
            known = [*candidates, *(reference.id for reference in references)]
            if not known:
                raise UnknownIdError(f"nothing can be compared with '{wanted}': no codec that is shown has a curve; "
                                     "leave the anchor out, or run a lossy codec")
            hint = did_you_mean(wanted, known) or f"; take one of {', '.join(known)}"
            raise UnknownIdError(f"no codec with a curve that is shown is called '{wanted}'{hint}")
        return found[0]
    return curves.usual_anchor({label: codec[label] for label in candidates})


def _order(names: Sequence[object], frame: pd.DataFrame) -> tuple[str, ...]:
    present = {str(label) for label in frame["label"].drop_duplicates()}
    return tuple(name for name in dict.fromkeys(str(n) for n in names) if name in present)


def _section(
    results: Results, names: Sequence[str], frame: pd.DataFrame, dataset: str, metric: Metric, anchor: str | None,
    lossless: tuple[Lossless, ...], method: str,
) -> Section:
    means, kept, left_out = curves.common_curves(frame, metric)
    published = tuple(filter(None, (_published(reference, name, dataset, metric)
                                    for reference, name in zip(results.references, names, strict=True))))
    pairs = _pairs(means, curves.image_curves(frame, metric), published, method)
    here = anchor if pairs is not None and anchor in pairs.labels else None
    usable = any(curve.usable.any() for curve in means)
    return Section(
        dataset=dataset, metric=metric, curves=tuple(means),
        n_pictures=frame["sample"].nunique(), n_used=kept["sample"].nunique(), left_out=tuple(left_out),
        mean_bytes=_mean_bytes(kept, means), anchor=here,
        comparisons=pairs.against[here] if pairs is not None and here is not None else (), pairs=pairs,
        lossless=lossless, published=published,
        no_values="" if usable else why_nothing(frame, means, metric, left_out),
    )


def _pairs(
    means: Sequence[Curve], images: Sequence[Curve], published: Sequence[PublishedCurve], method: str
) -> Pairs | None:
    if not means:
        return None
    both = [*means, *(p.curve for p in published)]
    return Pairs(tuple(curve.label for curve in both), RateTable(both, method), MetricTable(both, method),
                 PictureTable(images, method))


def _published(reference: Reference, name: str, dataset: str, metric: Metric) -> PublishedCurve | None:
    values = reference.metrics.get(metric.id)
    if reference.dataset != dataset or values is None:
        return None
    raw = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    drawn, bpp = curves.display(raw, metric), np.asarray(reference.bpp, dtype=np.float64)
    has = np.isfinite(drawn) & (bpp > 0)
    if not has.any():
        return None
    nothing, none = np.full(int(has.sum()), np.nan), np.zeros(int(has.sum()), dtype=np.int64)
    curve = Curve(dataset, name, reference.id, metric.id, metric.better, None, nothing, bpp[has], raw[has], drawn[has],
                  none, none)
    return PublishedCurve(reference, curve)


def _mean_bytes(kept: pd.DataFrame, means: Sequence[Curve]) -> dict[str, Floats]:
    ok = kept[curves.went_through(kept)]
    known = ok["bytes"].astype(float).groupby([ok["label"].astype(object), ok["quality"]]).mean()
    found: dict[str, Floats] = {}
    for curve in means:
        own = [float(known.get((curve.label, quality), np.nan)) for quality in curve.quality]
        found[curve.label] = np.where(np.isfinite(curve.bpp), own, np.nan)
    return found
