"""A run as it lies in its workspace: its frame, and everything that a report is made from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchbox.columns import COLUMNS
from benchbox.errors import DatasetError, StoreError
from benchbox.frame import frame
from benchbox.image import Image
from benchbox.literature import find_references
from benchbox.measure import decode_row
from benchbox.metric import Metric
from benchbox.registry import Registry
from benchbox.report import Results
from benchbox.store import Store

if TYPE_CHECKING:
    import pandas as pd


PUBLISHED = "results.parquet"
"""The file that makes a folder a published run, which needs no store."""


def is_published(run: str | Path) -> bool:
    """Whether `run` is the folder of a published run."""
    return (Path(run) / PUBLISHED).is_file()


def locate(run: str | Path, workspace: Path) -> tuple[Path, str]:
    """(workspace, name) of a run given by name, or by its folder, e.g. ``runs/demo``."""
    path = Path(run)
    if len(path.parts) > 1:
        return path.parent, path.name
    return workspace, str(run)


def run_metrics(store: Store, name: str, registry: Registry) -> list[Metric]:
    """The metrics of a run, those whose plugin is still there."""
    listed = _read(store.workspace / name / "settings.json")["metrics"]
    return [registry.metrics[metric] for metric in listed if metric in registry.metrics]


def load_frame(run: str | Path, workspace: Path, registry: Registry) -> pd.DataFrame:
    """The results frame of a run, or of a published folder; see `benchbox.columns.COLUMNS`."""
    if is_published(run):
        return _published_frame(Path(run))
    workspace, name = locate(run, workspace)
    return _stored_frame(workspace, name, registry)[0]


def load_results(
    run: str | Path, workspace: Path, registry: Registry, literature: Sequence[str] = ()
) -> Results:
    """Everything that reports are made from; `literature` names published curves to draw with the run's own, by id or
    as files (`benchbox.literature.find_references`). A published folder has no decoded pictures."""
    stored = not is_published(run)
    workspace, name = locate(run, workspace)
    folder = workspace / name if stored else Path(run)
    if stored:
        table, metrics = _stored_frame(workspace, name, registry)
        settings = _read(folder / "settings.json")
    else:
        table, settings = _published_frame(folder), _read(folder / "settings.json")
        metrics = [registry.metrics[metric] for metric in settings["metrics"] if metric in registry.metrics]
    by_key = table.drop_duplicates("key").set_index("key")

    def pixels(key: str) -> Image:
        row = by_key.loc[[key]].iloc[0]
        return decode_row({str(name): value for name, value in row.items()}, workspace / "streams")

    def original(key: str) -> Image:
        row = by_key.loc[[key]].iloc[0]
        return _original(str(row["dataset"]), str(row["sample"]), registry)

    return Results(
        name=str(table["run"].iloc[0]),
        frame=table,
        metrics=metrics,
        plan=(folder / "plan.toml").read_text(encoding="utf-8"),
        environment=_read(folder / "environment.json"),
        dataset_notes={d: _notes(info) for d, info in settings["datasets"].items()},
        codec_settings=settings["codecs"],
        references=find_references(literature, settings["datasets"], registry),
        pixels=pixels if stored else None,
        original=original,
    )


def _stored_frame(workspace: Path, name: str, registry: Registry) -> tuple[pd.DataFrame, list[Metric]]:
    """The frame of a run in its store, and the run's metrics."""
    with Store(workspace, read_only=True) as store:
        _require(store, name)
        metrics = run_metrics(store, name, registry)
        return frame(store, name, metrics), metrics


def _published_frame(folder: Path) -> pd.DataFrame:
    """The frame of a published folder, with the dtypes of the column table."""
    import pandas as pd

    try:
        table = pd.read_parquet(folder / PUBLISHED)
        return table.astype({column.name: column.dtype for column in COLUMNS})
    except (OSError, ValueError, KeyError) as error:
        raise StoreError(f"{folder / PUBLISHED}: is no results table of this version ({error})") from error


def _require(store: Store, name: str) -> None:
    names = [run for run, _ in store.runs()]
    if name not in names:
        raise StoreError(f"no run is called '{name}' in {store.workspace}; there are: {', '.join(names) or 'none yet'}")


def _notes(info: Mapping[str, Any]) -> list[str]:
    return [info["title"], *([f"Source: {info['source']}"] if info["source"] else []), *info["notes"]]


def _original(dataset: str, sample: str, registry: Registry) -> Image:
    for one in registry.dataset(dataset).samples:
        if one.id == sample:
            return one.load()
    raise DatasetError(f"data set {dataset} no longer has the sample '{sample}'")


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StoreError(f"{path}: cannot be read ({error}); run the plan again") from error
