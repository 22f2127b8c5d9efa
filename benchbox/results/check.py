"""Checks a published run: measures some of its points again and compares."""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchbox.dataset import Sample
from benchbox.errors import BenchboxError, StoreError
from benchbox.guard import answered
from benchbox.metric import Metric
from benchbox.plan import Configuration, Point, SampleName
from benchbox.registry import Registry
from benchbox.results.agree import differences
from benchbox.results.faults import metric_columns, row_faults
from benchbox.results.load import load_unchecked
from benchbox.results.mistaken import mistaken
from benchbox.results.place import find_run, is_published
from benchbox.store import Streams, Workspace
from benchbox.work import Worker, run_job

if TYPE_CHECKING:
    import pandas as pd


UNMEASURED = 3
"""Exit code where nothing differs and some points could not be measured here."""


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
        raise mistaken(folder, "published folder")
    table, known = load_unchecked(find_run(folder, Workspace.at(folder.parent)), registry)
    frame = table.assign(fault=row_faults(table))
    unchecked = _unchecked(table, known)
    metrics = [metric for metric in known if metric.id not in unchecked]
    with tempfile.TemporaryDirectory(prefix="benchbox-") as scratch:
        again = _Again(registry, metrics, unchecked, Streams(Path(scratch)), (folder.absolute().parent, folder))
        for label, rows in frame.groupby("label", observed=True, sort=False, dropna=False):
            faulty, sound = rows[rows["fault"] != ""], rows[(rows["fault"] == "") & (rows["status"] == "ok")]
            left = min(max(0, each - len(faulty)), len(sound))
            chosen = sorted(random.Random(f"{seed} {label}").sample(range(len(sound)), left))
            more = len(faulty) - each
            for row in [*_records(faulty.iloc[:each]), *_records(sound.iloc[chosen])]:
                verdict = again.verdict(row)
                if row["fault"] and more > 0:
                    words = f"{verdict.words}; {more} more rows of {label} contradict themselves"
                    verdict = replace(verdict, words=words)
                yield verdict


def _unchecked(table: pd.DataFrame, metrics: Sequence[Metric]) -> dict[str, str]:
    """Metric of the table -> why its scores cannot be computed here."""
    known = {metric.column: metric for metric in metrics}
    found = {}
    for column in metric_columns(table):
        metric = known.get(column)
        reason = "no plugin offers it here" if metric is None else _why_not(metric)
        if reason is not None:
            found[column if metric is None else metric.id] = reason
    return found


def _why_not(metric: Metric) -> str | None:
    try:
        return answered(metric.unavailable)
    except BenchboxError as error:
        return str(error)


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as dicts, with None for every null."""
    import pandas as pd

    return [{str(name): None if pd.isna(value) else value for name, value in row.items()}
            for row in rows.to_dict("records")]  # fmt: skip


class _Again:
    """Measures published points again; each data set is opened once."""

    def __init__(
        self, registry: Registry, metrics: Sequence[Metric], unchecked: Mapping[str, str], streams: Streams,
        bases: Sequence[Path],
    ) -> None:
        self._registry = registry
        self._worker = Worker(registry)
        self._metrics = metrics
        self._unchecked = unchecked
        self._streams = streams
        self._bases = bases
        self._datasets: dict[str, Mapping[str, Sample]] = {}

    def verdict(self, row: Mapping[str, Any]) -> Verdict:
        """The verdict on the point of one published row, whose `fault` is what was found without measuring."""
        agrees, words = self._compare(row)
        if row["fault"]:
            agrees, words = False, f"{row['fault']}; {words}"
        return Verdict(str(row["label"]), str(row["sample"]), row["quality"], agrees, words)

    def _compare(self, row: Mapping[str, Any]) -> tuple[bool | None, str]:
        try:
            info = self._registry.codec(str(row["codec"]))
            options = info.parse_options(_options(row["options"]))
            answered(info.require, options)
            identity = self._registry.identity(info, options)
            dataset = self._place(str(row["dataset"]))
            sample = SampleName.of(dataset, self._sample(dataset, str(row["sample"])))
        except BenchboxError as error:
            return None, f"not measured: {error}"
        quality = row["quality"]
        asked = Configuration(info, options, str(row["label"]), identity, (quality,), None, str(row["device"]))
        point = Point(str(row["key"]), quality, tuple(metric.id for metric in self._metrics))
        events: list[dict[str, Any]] = []
        run_job(self._worker, asked.job(sample, str(row["sample_sha256"]), [point]), self._streams, events.append)
        fresh = events[-1]
        if fresh["status"] != "ok":
            return None, f"not measured: {fresh['reason']}"
        found = differences(row, fresh, info.capabilities, self._metrics)
        words = "; ".join(difference.words for difference in found)
        versions = f"; published with '{row['identity']}', here is '{identity}'" if identity != row["identity"] else ""
        if all(difference.declared for difference in found):
            same = f"within what it declares: {words}{versions}" if found else "same bytes, same metrics"
            return True, same + "".join(f"; {name} not computed: {why}" for name, why in self._unchecked.items())
        return False, words + versions

    def _place(self, dataset: str) -> str:
        """The name by which a data set opens here. A published table names a folder without its path; the folder is
        looked for in the current folder, then beside the published folder and in it."""
        kind, colon, argument = dataset.partition(":")
        if not colon or self._registry.dataset_info(kind).argument != "PATH" or Path(argument).is_absolute():
            return dataset
        for base in (Path.cwd(), *self._bases):
            if (base / argument).exists():
                return f"{kind}:{base / argument}"
        raise StoreError(f"data set {dataset}: there is no folder {argument} here or beside the published folder; put "
                         "its pictures there")

    def _sample(self, dataset: str, sample: str) -> Sample:
        if dataset not in self._datasets:
            self._datasets[dataset] = {s.id: s for s in self._registry.dataset(dataset).samples}
        if sample not in self._datasets[dataset]:
            raise StoreError(f"data set {dataset} has no sample '{sample}' here")
        return self._datasets[dataset][sample]


def _options(text: Any) -> dict[str, Any]:
    """The column `options` of a row; raises StoreError where it is no JSON object."""
    try:
        found = json.loads(str(text))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise StoreError(f"the options {str(text)[:60]!r} are no JSON object")
    return found


def agreement(verdicts: Sequence[Verdict]) -> str:
    """One line that counts verdicts."""
    same = sum(v.agrees is True for v in verdicts)
    differ = sum(v.agrees is False for v in verdicts)
    absent = len(verdicts) - same - differ
    if not same + differ:
        why = f"{absent} could not be measured here" if absent else "the table has no point that went well"
        return f"0 points could be checked: {why}"
    return f"{same} of {same + differ} points agree; {differ} differ; {absent} could not be measured here"


def exit_code(verdicts: Sequence[Verdict]) -> int:
    """0 if every point agrees, 1 if one differs or none could be measured, `UNMEASURED` if only some could not."""
    if any(v.agrees is False for v in verdicts) or not any(v.agrees for v in verdicts):
        return 1
    return UNMEASURED if any(v.agrees is None for v in verdicts) else 0
