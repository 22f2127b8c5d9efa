"""Checks a published run: measures some of its points again and compares."""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchbox.dataset import Sample
from benchbox.errors import BenchboxError, StoreError
from benchbox.plan import Configuration, Point, SampleName
from benchbox.registry import Registry
from benchbox.results.load import load_results
from benchbox.results.place import PUBLISHED, find_run, is_published
from benchbox.store import Streams, Workspace
from benchbox.work import Worker, run_job

TOLERANCE = 1e-6
"""Scores agree if they differ by at most this, relative to the larger of 1 and the value: room for another order of
summation."""


@dataclass(frozen=True)
class Verdict:
    """The result of measuring one published point again.

    Attributes:
        label, sample, quality: the point.
        agrees: true if bytes and scores are those published; None if the point could not be measured here.
        words: ``"same bytes, same metrics"``, or the differences, or why the point was not measured.
    """

    label: str
    sample: str
    quality: float | None
    agrees: bool | None
    words: str


def check(folder: Path, registry: Registry, each: int = 2, seed: int = 0) -> Iterator[Verdict]:
    """Measure `each` points of every codec of a published folder again, in this process, and compare.

    Points are drawn with `seed` among those with status ok. If a codec or data set is absent here, the verdict says so.

    Raises:
        StoreError: `folder` holds no published run.
    """
    if not is_published(folder):
        raise StoreError(f"{folder}: no {PUBLISHED} there; name a folder that `benchbox publish` wrote")
    results = load_results(find_run(folder, Workspace.at(folder.parent)), registry)
    good = results.frame[results.frame["status"] == "ok"]
    with tempfile.TemporaryDirectory(prefix="benchbox-") as scratch:
        again = _Again(registry, tuple(metric.id for metric in results.metrics), Streams(Path(scratch)))
        for label, rows in good.groupby("label", observed=True, sort=False):
            chosen = sorted(random.Random(f"{seed} {label}").sample(range(len(rows)), min(each, len(rows))))
            for row in rows.iloc[chosen].to_dict("records"):
                yield again.verdict({str(k): v for k, v in row.items()})


class _Again:
    """Measures published points again; each data set is opened once."""

    def __init__(self, registry: Registry, metrics: tuple[str, ...], streams: Streams) -> None:
        self._registry = registry
        self._worker = Worker(registry)
        self._metrics = metrics
        self._streams = streams
        self._datasets: dict[str, Mapping[str, Sample]] = {}

    def verdict(self, row: Mapping[str, Any]) -> Verdict:
        """The verdict on the point of one published row."""
        quality = None if row["quality"] != row["quality"] else float(row["quality"])
        agrees, words = self._compare(row, quality)
        return Verdict(str(row["label"]), str(row["sample"]), quality, agrees, words)

    def _compare(self, row: Mapping[str, Any], quality: float | None) -> tuple[bool | None, str]:
        try:
            info = self._registry.codec(str(row["codec"]))
            options = info.parse_options(json.loads(row["options"]))
            info.require(options)
            identity = info.identity(options)
            sample = SampleName.of(str(row["dataset"]), self._sample(str(row["dataset"]), str(row["sample"])))
        except BenchboxError as error:
            return None, f"not measured: {error}"
        asked = Configuration(info, options, str(row["label"]), identity, (quality,), None, str(row["device"]))
        job = asked.job(sample, str(row["sample_sha256"]), [Point(str(row["key"]), quality, self._metrics)])
        events: list[dict[str, Any]] = []
        run_job(self._worker, job, self._streams, events.append)
        fresh = events[-1]
        if fresh["status"] != "ok":
            return None, f"not measured: {fresh['reason']}"
        differences = _differences(row, fresh, info.capabilities.deterministic)
        if not differences:
            return True, "same bytes, same metrics"
        if identity != row["identity"]:
            differences.append(f"published with '{row['identity']}', here is '{identity}'")
        return False, "; ".join(differences)

    def _sample(self, dataset: str, sample: str) -> Sample:
        if dataset not in self._datasets:
            self._datasets[dataset] = {s.id: s for s in self._registry.dataset(dataset).samples}
        if sample not in self._datasets[dataset]:
            raise StoreError(f"data set {dataset} has no sample '{sample}' here")
        return self._datasets[dataset][sample]


def _differences(row: Mapping[str, Any], fresh: Mapping[str, Any], deterministic: bool) -> list[str]:
    """The differences of a point measured again; bytes count only for codecs that declare themselves deterministic."""
    out = []
    if deterministic and fresh["stream_sha256"] != row["stream_sha256"]:
        sizes = f"{fresh['bytes']} bytes instead of {row['bytes']}"
        out.append(sizes if fresh["bytes"] != row["bytes"] else "different bytes of the same length")
    for metric, (_, value, _) in fresh["scores"].items():
        known = row.get(metric.replace("-", "_"))
        known = None if known != known else known
        if (value is None) != (known is None):
            out.append(f"{metric} {value} instead of {known}")
        elif value is not None and known is not None and abs(value - known) > TOLERANCE * max(1.0, abs(known)):
            out.append(f"{metric} {value:.6g} instead of {known:.6g}")
    return out


def agreement(verdicts: Sequence[Verdict]) -> str:
    """One line that counts verdicts."""
    same = sum(v.agrees is True for v in verdicts)
    differ = sum(v.agrees is False for v in verdicts)
    absent = len(verdicts) - same - differ
    return f"{same} of {same + differ} points agree; {differ} differ; {absent} could not be measured here"
