"""Loads a run: its frame, and everything else that reports need."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchbox.dataset import summarised, twins
from benchbox.errors import StoreError, one_line
from benchbox.files import read_text
from benchbox.metric import Metric
from benchbox.registry import Registry
from benchbox.report import Results
from benchbox.results.changed import change_notes
from benchbox.results.literature import find_references
from benchbox.results.pictures import Pictures
from benchbox.results.place import RunPlace, find_run, no_run
from benchbox.results.records import (
    RECORD,
    DatasetSettings,
    check_table,
    clean_texts,
    read_appearance,
    read_environment,
    read_settings,
)
from benchbox.results.shape import applied
from benchbox.results.targets import with_targets
from benchbox.store import COLUMNS, PUBLISHED, Store, Workspace

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS, MOST_BYTES_A_ROW = 20_000_000, 64 << 10
"""Of a results table: rows, and bytes that one may take in memory, texts and reasons included."""


def load_frame(place: RunPlace, registry: Registry) -> tuple[pd.DataFrame, list[Metric]]:
    """The results frame of a run, and those of its metrics whose plugins are installed.

    Raises:
        StoreError: there is no such run, or it cannot be read.
    """
    plan = place.folder / "plan.toml"
    if place.workspace is None:
        table, metrics = published_frame(place.folder), _metrics(place, registry)
        return with_targets(table, metrics, plan), metrics
    from benchbox.store.frame import frame  # brings pandas, which a run without reports does not need

    with Store(place.workspace) as store:
        names = [run for run, _ in store.runs()]
        if place.name not in names:
            if plan.is_file():
                raise StoreError(f"the run '{place.name}' has no results in {store.workspace}: nothing of it could be "
                                 "measured, or it was forgotten; run its plan, which says why pictures are left out")
            raise no_run(place.name, store)
        metrics = _metrics(place, registry)
        return with_targets(frame(store, place.name, metrics), metrics, plan), metrics


def load_run(
    run: str | Path | pd.DataFrame, workspace: Workspace, registry: Registry
) -> tuple[pd.DataFrame, list[Metric]]:
    """The results frame of a run given as `find_run` takes it, and its metrics; or a frame as it is, and the metrics
    whose columns it has. Raises StoreError likewise."""
    if isinstance(run, str | Path):
        return load_frame(find_run(run, workspace), registry)
    known = {metric.column: metric for metric in registry.metrics.values()}
    return run, [known[name] for name in run if name in known]


def load_results(place: RunPlace, registry: Registry, literature: Sequence[str] = ()) -> Results:
    """Everything that reports need. `literature` names published curves to draw with those of the run, by id or as
    files (see `find_references`). A published folder has no decoded pictures."""
    return applied(load_unapplied(place, registry, literature))


def load_unapplied(place: RunPlace, registry: Registry, literature: Sequence[str] = ()) -> Results:
    """As `load_results`, with the plan's table ``[report]`` as it stands, which may name what is not drawn."""
    table, metrics = load_frame(place, registry)
    settings = read_settings(place.folder / "settings.json")
    notes = change_notes(table, registry if place.workspace is not None else None)
    pictures = Pictures(table, registry, None if place.workspace is None else place.workspace.streams)
    plan = read_text(place.folder / "plan.toml", RECORD)
    return Results(
        name=str(table["run"].iloc[0]),
        frame=table,
        metrics=metrics,
        plan=plan,
        environment=read_environment(place.folder / "environment.json"),
        dataset_notes={d: [*_notes(info), *_twins(table, d)] for d, info in settings.datasets.items()},
        codec_settings={label: {**about, "note": notes[label]} if label in notes else about
                        for label, about in settings.codecs.items()},
        left_out=settings.left_out,
        references=find_references(literature, settings.datasets, registry),
        pixels=pictures.decoded if place.workspace is not None else None,
        original=pictures.original,
        appearance=read_appearance(plan, place.folder / "plan.toml"),
    )


def _metrics(place: RunPlace, registry: Registry) -> list[Metric]:
    listed = read_settings(place.folder / "settings.json").metrics
    return [registry.metrics[metric] for metric in listed if metric in registry.metrics]


def unknown_metrics(place: RunPlace, registry: Registry) -> list[str]:
    """The ids of a run's metrics that no plugin here offers, so that results come without their columns."""
    listed = read_settings(place.folder / "settings.json").metrics
    return [metric for metric in listed if metric not in registry.metrics]


def left_out(place: RunPlace, registry: Registry) -> str:
    """A warning of the metrics of a run in a workspace that no plugin here offers; "" if there are none, or if the
    record of the run's settings cannot be read."""
    try:
        missing = unknown_metrics(place, registry) if place.workspace is not None else []
    except StoreError:
        missing = []
    return (f"{place.name}: left out: {', '.join(missing)}, which no plugin here offers; install it, or name its file "
            "in BENCHBOX_PLUGINS") if missing else ""  # fmt: skip


def load_unchecked(place: RunPlace, registry: Registry) -> tuple[pd.DataFrame, list[Metric]]:
    """The results frame of a published folder and its metrics, for `check`, which judges row by row what others may
    have written into it. Raises StoreError where it cannot be read."""
    return _table(place.folder, lambda table, absent: None), _metrics(place, registry)


def published_frame(folder: Path) -> pd.DataFrame:
    """The results frame of a published folder. Raises StoreError where it cannot be read or holds what no run gives."""
    return _table(folder, check_table)


def _table(folder: Path, check: Callable[[pd.DataFrame, set[str]], None]) -> pd.DataFrame:
    """The frame of a published folder, with the dtypes of the column table; `check` is given it, with the columns that
    the file lacks, and raises ValueError where it refuses it."""
    import pandas as pd

    try:
        _check_size(folder / PUBLISHED)
        table = pd.read_parquet(folder / PUBLISHED)
        absent = {column.name for column in COLUMNS} - set(table)
        for column in COLUMNS:
            if column.name not in table:  # added after the release that published this
                table[column.name] = pd.Series(None, index=table.index, dtype=column.dtype)
        ours = [column.name for column in COLUMNS]
        ordered = table[[*ours, *(name for name in table if name not in ours)]]
        typed = ordered.astype({column.name: column.dtype for column in COLUMNS})
        clean_texts(typed)
        check(typed, absent)
        return typed
    except Exception as error:  # whatever reading a damaged file leads pyarrow and pandas to
        said = one_line((str(error).strip().splitlines() or [type(error).__name__])[0])
        raise StoreError(f"{folder / PUBLISHED}: is not a results table of this version ({said}); publish the run again"
                         ) from error


def _check_size(path: Path) -> None:
    """Refuse a table that says it is larger than any run, before it is read.

    Raises:
        ValueError: it is.
    """
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        rows = file.metadata.num_rows
        size = sum(file.metadata.row_group(k).total_byte_size for k in range(file.metadata.num_row_groups))
        texts = [name for name, kind in zip(file.schema_arrow.names, file.schema_arrow.types, strict=True)
                 if _is_text(name, kind)]
        most = MOST_BYTES_A_ROW * max(rows, 1000)
        if rows <= MOST_ROWS and size <= most:  # a text that many rows share is in the file once
            size = max(size, _text_bytes(pq.read_table(path, columns=texts, read_dictionary=texts)))
    if rows > MOST_ROWS or size > most:
        raise ValueError(f"{rows} rows of {size >> 20} MiB are more than a run has")


def _is_text(name: str, kind: Any) -> bool:
    """Whether a column holds texts. Raises ValueError for one that holds neither texts nor single numbers, whose size
    its number of rows does not bound."""
    from pyarrow import types

    held = kind.value_type if types.is_dictionary(kind) else kind
    if types.is_string(held) or types.is_large_string(held):
        return True
    if not (types.is_primitive(held) or types.is_null(held)):
        raise ValueError(f"the column {name!r} holds {kind}")
    return False


def _text_bytes(table: Any) -> int:
    """Bytes of all texts of an Arrow table of dictionaries, each as often as rows have it."""
    import pyarrow.compute as pc

    total = 0
    for column in table.columns:
        for chunk in column.chunks:
            lengths = pc.binary_length(chunk.dictionary)
            total += pc.sum(lengths.take(chunk.indices)).cast("int64").as_py() or 0
    return total


def _notes(info: DatasetSettings) -> list[str]:
    source = [f"Source: {info.source}"] if info.source else []
    return [info.title, *source, *info.notes, *summarised(info.pictures)]


def _twins(table: pd.DataFrame, dataset: str) -> list[str]:
    """What is to be said of pictures that a data set has more than once."""
    own = table.loc[(table["dataset"] == dataset).to_numpy(dtype=bool), ["sample", "sample_sha256"]]
    known = own.drop_duplicates().dropna().drop_duplicates("sample")
    return twins(dict(zip(known["sample"].astype(str), known["sample_sha256"].astype(str), strict=True)))
