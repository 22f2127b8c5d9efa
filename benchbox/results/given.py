"""A run given from Python, by name, as a folder or as a frame, as the results that reports are made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchbox.appearance import PLAIN, Appearance
from benchbox.errors import UnknownIdError, UsageError, did_you_mean
from benchbox.naming import public
from benchbox.registry import Registry
from benchbox.report import Results
from benchbox.results.by_picture import with_literature
from benchbox.results.load import load_results, load_run
from benchbox.results.place import find_run
from benchbox.results.shape import shaped
from benchbox.store import Workspace

if TYPE_CHECKING:
    import pandas as pd


def as_results(
    run: str | Path | pd.DataFrame, workspace: Workspace, registry: Registry, only: Sequence[str] = (),
    metric: str | None = None, appearance: Appearance = PLAIN,
) -> Results:  # fmt: skip
    """The results of `run` under public names, as its plan's table ``[report]`` wants them.

    Args:
        run, workspace, registry: as `load_run` takes them.
        only: the codecs wanted, in this order; empty: those that the table shows.
        metric: the id of the metric wanted, whether the table shows it or not; None: those that it shows.
        appearance: that table, if `run` is a frame, which has none.

    Raises:
        StoreError: there is no such run.
        UnknownIdError: it has no such codec or metric.
    """
    if isinstance(run, str | Path):
        results = load_results(find_run(run, workspace), registry)
    else:
        frame, metrics = load_run(run, workspace, registry)
        name = str(frame["run"].iloc[0]) if len(frame) else ""
        results = Results(name, frame, metrics, "", {}, appearance=appearance)
    asked: dict[str, tuple[str, ...]] = {"codecs": tuple(only)} if only else {}
    if metric is not None:
        asked["metrics"] = (one_metric(results, metric),)
    changed = replace(results, appearance=results.appearance.model_copy(update=asked))
    return shaped(public(with_literature(changed)))


def one_dataset(results: Results, wanted: str | None) -> str:
    """The data set `wanted`, by its public or its own name, or the only one. Raises UsageError, UnknownIdError."""
    known = [str(name) for name in results.frame["dataset"].drop_duplicates()]
    if wanted is None and len(known) == 1:
        return known[0]
    if wanted is None:
        raise UsageError(f"the run has {len(known)} data sets ({', '.join(known) or 'no rows'}); name one: dataset=...")
    found = [name for name in known if wanted in (name, name.partition(":")[2])]
    if not found:
        raise UnknownIdError(f"the run has no data set '{wanted}'{did_you_mean(wanted, known) or _choice(known)}")
    return found[0]


def one_metric(results: Results, wanted: str) -> str:
    """`wanted`, if it is the id of a metric of the run. Raises UnknownIdError."""
    known = [metric.id for metric in results.metrics]
    if wanted not in known:
        raise UnknownIdError(f"the run was not scored by '{wanted}'{did_you_mean(wanted, known) or _choice(known)}")
    return wanted


def _choice(known: Sequence[str]) -> str:
    return f"; take one of {', '.join(known) or 'none'}"
