"""Names the codecs, metrics and data sets of the earlier of two runs that a comparison leaves out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from benchbox.curves.paired import shared_pictures
from benchbox.metric import Metric


@dataclass(frozen=True)
class Uncompared:
    """Names of the earlier run that a comparison leaves out.

    Attributes:
        codecs, metrics, datasets: labels, ids and names that the later run lacks.
        unknown: ids of metrics that no plugin here offers, whatever the later run has.
    """

    codecs: tuple[str, ...]
    metrics: tuple[str, ...]
    datasets: tuple[str, ...]
    unknown: tuple[str, ...] = ()

    def lines(self) -> Iterator[str]:
        """All of it in words, e.g. ``"only in before: codec webp; metric ssim"``."""
        kinds = (("codec", self.codecs), ("metric", self.metrics), ("data set", self.datasets))
        named = [f"{kind}{'s' if len(names) > 1 else ''} {', '.join(names)}" for kind, names in kinds if names]
        if named:
            yield f"only in before: {'; '.join(named)}"
        if self.unknown:
            yield (f"left out: {', '.join(self.unknown)}, which no plugin here offers; install it, or name its file "
                   "with --plugin")  # fmt: skip


def uncompared(
    before: pd.DataFrame, after: pd.DataFrame, metrics: tuple[Sequence[Metric], Sequence[Metric]],
    chosen: tuple[Sequence[str], Sequence[str]],
) -> Uncompared:  # fmt: skip
    """Find what `after` lacks of `before`. A data set whose pictures `after` has under another name is not lacking.

    Args:
        before, after: the results of the two runs.
        metrics: their metrics, the earlier run's first.
        chosen: the codecs and the metrics that were asked for, as `codec_pairs` and `common_metrics` take them. Where
            some were, the others are left out on purpose and are not named.
    """
    labels, ids = set(after["label"].astype(str)), {metric.id for metric in metrics[1]}
    paired = {name for shared in shared_pictures(before, after) for name in (shared.earlier, shared.dataset)}
    return Uncompared(
        () if chosen[0] else tuple(name for name in before["label"].astype(str).unique() if name not in labels),
        () if chosen[1] else tuple(metric.id for metric in metrics[0] if metric.id not in ids),
        tuple(name for name in before["dataset"].astype(str).unique() if name not in paired),
    )
