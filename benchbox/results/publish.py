"""Publishes a run as a folder that others can read and check. No file in it holds a path of this machine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchbox.errors import UsageError
from benchbox.files import same_file, whole_folder
from benchbox.naming import PublicNames, public
from benchbox.registry import Registry
from benchbox.report import Results
from benchbox.results.load import load_results
from benchbox.results.place import RunPlace, is_published
from benchbox.results.records import read_settings
from benchbox.results.versions import metric_versions
from benchbox.results.write import render
from benchbox.store import PUBLISHED

if TYPE_CHECKING:
    import pandas as pd

REPORTS = ("page", "figures", "tables")
"""Reports of a published folder, as far as their plugins are installed."""


def publish(place: RunPlace, registry: Registry, folder: Path, literature: Sequence[str] = ()) -> list[Path]:
    """Write results (Parquet), plan, settings, machine and reports of a run to `folder`; returns the reports' files.

    `benchbox.load`, ``benchbox report`` and `check` take `folder` in place of a run's name. Data sets in folders go by
    the folder's name and a digest of their pictures.

    Raises:
        UsageError: `folder` is the run's own, another run's, or one that the workspace uses itself.
        StoreError: `folder` cannot be written (a full disk); it stays what it was.
    """
    if any(same_file(folder, taken) for taken in place.taken) or _is_run(folder):
        raise UsageError(f"{folder}: belongs to the workspace; choose another --output")
    results = load_results(place, registry, literature)
    named = public(results)  # what was measured; reports add literature
    reports = [registry.reports[name] for name in REPORTS if name in registry.reports]
    with whole_folder(folder) as part:
        named.frame.to_parquet(part / PUBLISHED, index=False)
        settings = {**_settings(place, results), "metric_versions": dict(metric_versions(place, registry))}
        texts = {"plan.toml": _plan(named), "settings.json": json.dumps(settings, indent=1),
                 "environment.json": json.dumps(named.environment, indent=1)}
        for name, text in texts.items():
            (part / name).write_text(text, encoding="utf-8")
        files = [file for report in reports for file in render(results, report, report.Options(), part)]
    return [folder / file.relative_to(part) for file in files]


def dataset_digests(frame: pd.DataFrame) -> dict[str, str]:
    """Data set -> SHA-256 (hex) of its measured pictures: of a line ``PIXELS  ID`` for each, sorted by id."""
    measured = frame[frame["sample_sha256"].notna()]
    pictures = measured[["dataset", "sample", "sample_sha256"]].drop_duplicates().astype(str)
    found = {}
    for dataset, own in pictures.groupby("dataset", sort=False):
        lines = sorted(zip(own["sample"], own["sample_sha256"], strict=True))
        text = "".join(f"{sha256}  {sample}\n" for sample, sha256 in lines)
        found[str(dataset)] = hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()
    return found


def _plan(named: Results) -> str:
    """The plan, with a comment that identifies the pictures of each data set that a folder's name alone does not."""
    measured = named.frame[named.frame["sample_sha256"].notna()]
    counts = measured.groupby("dataset", observed=True)["sample"].nunique()
    lines = [f"# {dataset}: {counts[dataset]} pictures, sha256 {digest}\n"
             for dataset, digest in dataset_digests(named.frame).items() if ":" in dataset]
    return "".join(lines) + named.plan


def _settings(place: RunPlace, results: Results) -> dict[str, Any]:
    """``settings.json`` under public names, with the digest of each data set's pictures."""
    kept = read_settings(place.folder / "settings.json").model_dump()
    names = PublicNames.of([*results.frame["dataset"].drop_duplicates().astype(str), *kept["datasets"]],
                           [codec.get("options") for codec in kept["codecs"].values()])
    shas = {names.dataset(dataset): digest for dataset, digest in dataset_digests(results.frame).items()}
    datasets = {}
    for dataset, about in kept["datasets"].items():
        shown = datasets[names.dataset(dataset)] = names.value(about)
        shown["source"] = names.source(about["source"])
        shown |= {"sha256": shas[names.dataset(dataset)]} if names.dataset(dataset) in shas else {}
    return {**names.value(kept), "datasets": datasets}


def _is_run(folder: Path) -> bool:
    """Whether `folder` is that of a run in a workspace, whose plan and settings a published one would replace."""
    return (folder / "settings.json").exists() and not is_published(folder)
