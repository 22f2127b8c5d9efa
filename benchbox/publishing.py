"""A run that others can take away, look at and test: its results as one file, what made them, and its reports."""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchbox.dataset import Sample
from benchbox.errors import BenchboxError, StoreError
from benchbox.jobs import Configuration, Point
from benchbox.measure import run_job
from benchbox.registry import Registry
from benchbox.results import PUBLISHED, is_published, load_results, locate

REPORTS = ("page", "figures", "tables")
"""What a published folder shows, as far as their plugin is there."""

TOLERANCE = 1e-6
"""Scores that differ by less, relative to the larger of 1 and the value, agree: sums in another order, not others."""


@dataclass(frozen=True)
class Verdict:
    """What measuring one published point again gave.

    Attributes:
        label, sample, quality: the point.
        agrees: whether bytes and scores are those published; None where it could not be measured here.
        words: ``"same bytes, same metrics"``, or what differs, or why it was not measured.
    """

    label: str
    sample: str
    quality: float | None
    agrees: bool | None
    words: str


def publish(
    run: str | Path, workspace: Path, registry: Registry, folder: Path, literature: Sequence[str] = ()
) -> list[Path]:
    """Write results (Parquet), plan, settings, machine and reports of a run into `folder`; the page is first.

    `folder` then stands for the run: `benchbox.load`, ``benchbox report`` and `check` take it.
    """
    results = load_results(run, workspace, registry, literature)
    folder.mkdir(parents=True, exist_ok=True)
    results.frame.to_parquet(folder / PUBLISHED, index=False)
    source = Path(run) if is_published(run) else Path(*locate(run, workspace))
    texts = {name: (source / name).read_text(encoding="utf-8") for name in ("settings.json", "environment.json")}
    for name, text in {"plan.toml": results.plan, **texts}.items():
        (folder / name).write_text(text, encoding="utf-8")
    files: list[Path] = []
    for report in (registry.reports[name] for name in REPORTS if name in registry.reports):
        files += report.render(results, report.Options(), folder)
    return files


def check(folder: Path, registry: Registry, each: int = 2, seed: int = 0) -> Iterator[Verdict]:
    """Measure `each` points of every codec of a published folder again and compare, in this process.

    Points are drawn by `seed` among those that went well. A codec or data set that is absent here is said so.

    Raises:
        StoreError: `folder` holds no published run.
    """
    if not is_published(folder):
        raise StoreError(f"{folder}: no {PUBLISHED} there; name a folder that `benchbox publish` wrote")
    results = load_results(folder, folder.parent, registry)
    good = results.frame[results.frame["status"] == "ok"]
    samples = _samples(registry)
    with tempfile.TemporaryDirectory() as streams:
        for label, rows in good.groupby("label", observed=True, sort=False):
            chosen = sorted(random.Random(f"{seed} {label}").sample(range(len(rows)), min(each, len(rows))))
            for row in rows.iloc[chosen].to_dict("records"):
                metrics = [m.id for m in results.metrics]
                yield _again({str(k): v for k, v in row.items()}, metrics, registry, samples, Path(streams))


def _samples(registry: Registry) -> Callable[[str, str], Sample]:
    """A look-up of samples by data set id and sample id; each data set is opened once."""
    opened: dict[str, Mapping[str, Sample]] = {}

    def find(dataset: str, sample: str) -> Sample:
        if dataset not in opened:
            opened[dataset] = {s.id: s for s in registry.dataset(dataset).samples}
        if sample not in opened[dataset]:
            raise StoreError(f"data set {dataset} has no sample '{sample}' here")
        return opened[dataset][sample]

    return find


def _again(
    row: Mapping[str, Any], metrics: Sequence[str], registry: Registry, samples: Callable[[str, str], Sample],
    streams: Path,
) -> Verdict:  # fmt: skip
    quality = None if row["quality"] != row["quality"] else float(row["quality"])

    def verdict(agrees: bool | None, words: str) -> Verdict:
        return Verdict(str(row["label"]), str(row["sample"]), quality, agrees, words)

    try:
        info = registry.codec(str(row["codec"]))
        options = info.parse_options(json.loads(row["options"]))
        info.require(options)
        identity = info.identity(options)
        sample = samples(str(row["dataset"]), str(row["sample"]))
    except BenchboxError as error:
        return verdict(None, f"not measured: {error}")
    asked = Configuration(info, options, str(row["label"]), identity, (quality,), None, str(row["device"]))
    job = asked.job(sample, str(row["sample_sha256"]), [Point(str(row["key"]), quality, tuple(metrics))])
    events: list[dict[str, Any]] = []
    run_job(job, streams, events.append)
    fresh = events[-1]
    if fresh["status"] != "ok":
        return verdict(None, f"not measured: {fresh['reason']}")
    differences = _differences(row, fresh, info.capabilities.deterministic)
    if not differences:
        return verdict(True, "same bytes, same metrics")
    if identity != row["identity"]:
        differences.append(f"published with '{row['identity']}', here is '{identity}'")
    return verdict(False, "; ".join(differences))


def _differences(row: Mapping[str, Any], fresh: Mapping[str, Any], deterministic: bool) -> list[str]:
    """What a point measured again has otherwise; bytes only of codecs that promise the same ones."""
    out = []
    if deterministic and fresh["stream_sha256"] != row["stream_sha256"]:
        sizes = f"{fresh['bytes']} bytes instead of {row['bytes']}"
        out.append(sizes if fresh["bytes"] != row["bytes"] else "other bytes, as many")
    for metric, (_, value, _) in fresh["scores"].items():
        known = row.get(metric.replace("-", "_"))
        known = None if known != known else known
        if (value is None) != (known is None):
            out.append(f"{metric} {value} instead of {known}")
        elif value is not None and known is not None and abs(value - known) > TOLERANCE * max(1.0, abs(known)):
            out.append(f"{metric} {value:.6g} instead of {known:.6g}")
    return out


def agreement(verdicts: Sequence[Verdict]) -> str:
    """One line that sums verdicts up."""
    same = sum(v.agrees is True for v in verdicts)
    differ = sum(v.agrees is False for v in verdicts)
    absent = len(verdicts) - same - differ
    return f"{same} of {same + differ} points agree; {differ} differ; {absent} could not be measured here"

