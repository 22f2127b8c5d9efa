"""Several runs as one: in one report or one frame, each codec under its own name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchbox.appearance import renamed
from benchbox.dataset import public_name
from benchbox.errors import StoreError, UsageError
from benchbox.image import Image
from benchbox.metric import Metric
from benchbox.registry import Registry
from benchbox.report import Results
from benchbox.results.literature import find_references
from benchbox.results.load import load_frame, load_results, load_unapplied
from benchbox.results.place import RunPlace
from benchbox.results.shape import applied
from benchbox.results.versions import check_versions

if TYPE_CHECKING:
    import pandas as pd

_POINT = ["dataset", "sample", "quality"]
_SAME = ["key", "bytes", "pixels_sha256", "host", "encode_s", "timing"]
"""Two rows of one operating point that agree in these are one measurement, which two runs of one workspace share."""
_MISSING = "missing"
_CONFIGURATION = ["codec", "options", "identity"]


def load_several(places: Sequence[RunPlace], registry: Registry, literature: Sequence[str] = ()) -> Results:
    """Everything that one report over all these runs needs; see `united`. Raises what `load_results` does, and
    UsageError where a run is named twice or a metric is of two versions."""
    if not places:
        raise UsageError("no run is named; name one or more")
    if len(places) == 1:
        return load_results(places[0], registry, literature)
    _once(places)
    loaded = [load_unapplied(place, registry) for place in places]
    check_versions(places, registry)
    results = united(loaded)
    references = find_references(literature, list(results.dataset_notes), registry)
    return applied(replace(results, references=references))


def load_frames(places: Sequence[RunPlace], registry: Registry) -> tuple[pd.DataFrame, list[Metric]]:
    """The rows of all these runs, as `united` names them, and their metrics. Raises UsageError where a run is named
    twice or a metric is of two versions."""
    _once(places)
    loaded = [load_frame(place, registry) for place in places]
    if len(loaded) == 1:
        return loaded[0]
    check_versions(places, registry)
    one = united([Results(place.name, frame, metrics, "", {})
                  for place, (frame, metrics) in zip(places, loaded, strict=True)])  # fmt: skip
    return one.frame, list(one.metrics)


def _once(places: Sequence[RunPlace]) -> None:
    """Refuse a run that is named twice: it has nothing that it does not share with itself."""
    seen: set[Path] = set()
    for place in places:
        folder = place.folder.resolve()
        if folder in seen:
            raise UsageError(f"the run '{place.name}' is named twice; name it once, or the run that you meant")
        seen.add(folder)


def united(runs: Sequence[Results]) -> Results:
    """Several runs as one.

    - A label that stands for different configurations, or for other measurements of the same points, is named by run:
      ``"jpeg (first)"``. Measurements that two runs share, as runs of one workspace do, are taken once.
    - A data set is the same in two runs if its name is and the pictures that both have are the same; otherwise it is
      named by run too.
    - Rows keep their host and their run, so that no table of speeds mixes hosts.
    """
    names = _distinct([run.name for run in runs])
    runs = [_renamed(run, "dataset", renames) for run, renames in zip(runs, _datasets(runs, names), strict=True)]
    labels = _labels(runs, names)
    runs = [_renamed(run, "label", renames) for run, renames in zip(runs, labels, strict=True)]
    metrics = {metric.id: metric for run in runs for metric in run.metrics}
    frame = _joined([run.frame.assign(run=_same(name, len(run.frame))) for run, name in zip(runs, names, strict=True)],
                    list(metrics.values()))
    notes: dict[str, Sequence[str]] = {}
    for run in runs:
        notes |= {dataset: given for dataset, given in run.dataset_notes.items() if dataset not in notes}
    return Results(
        name=" + ".join(names), frame=frame, metrics=list(metrics.values()),
        plan="\n".join(f"# {name}\n{run.plan}" for name, run in zip(names, runs, strict=True)),
        environment=_environment(runs), dataset_notes=notes,
        codec_settings={label: settings for run in runs for label, settings in run.codec_settings.items()},
        left_out={codec: why for run in runs for codec, why in run.left_out.items()},
        references=list({r.id: r for run in runs for r in run.references}.values()),
        pixels=_first([run.pixels for run in runs]), original=_first([run.original for run in runs]),
        appearance=renamed(runs[0].appearance, _all_names(labels)))


def _same(name: str, count: int) -> Any:
    """`count` times the same category."""
    import numpy as np
    import pandas as pd

    return pd.Categorical.from_codes(np.zeros(count, dtype=np.int8), dtype=pd.CategoricalDtype([name]))


def _distinct(names: Sequence[str]) -> list[str]:
    found: list[str] = []
    for name in names:
        free, number = name, 1
        while free in found:
            number += 1
            free = f"{name} {number}"
        found.append(free)
    return found


def _datasets(runs: Sequence[Results], names: Sequence[str]) -> list[dict[str, str]]:
    """For each run, data set -> the name it goes by."""
    known: dict[str, dict[str, str | None]] = {}
    found = []
    for run, name in zip(runs, names, strict=True):
        renames = {}
        rows = run.frame[["dataset", "sample", "sample_sha256"]].drop_duplicates().astype(object)
        for dataset, own in rows.groupby("dataset", sort=False):
            pictures = _digests(own)
            same = next((other for other, have in known.items() if public_name(other) == public_name(str(dataset))
                         and _agree(pictures, have)), None)
            free = str(dataset) if str(dataset) not in known else f"{public_name(str(dataset))} ({name})"
            renames[str(dataset)] = same or free
            have = known.setdefault(same or free, {})
            have.update({sample: have.get(sample) or digest for sample, digest in pictures.items()})
        found.append(renames)
    return found


def _digests(rows: pd.DataFrame) -> dict[str, str | None]:
    """Picture -> its digest; None where no row of it is measured yet, as in a shard or an unfinished run."""
    measured = rows[rows["sample_sha256"].notna()]
    return {**dict.fromkeys(rows["sample"]), **dict(zip(measured["sample"], measured["sample_sha256"], strict=True))}


def _agree(one: Mapping[str, str | None], two: Mapping[str, str | None]) -> bool:
    """Whether two data sets share pictures, and those with a digest in both have the same."""
    both = one.keys() & two.keys()
    return bool(both) and all(one[sample] == two[sample] for sample in both if one[sample] and two[sample])


def _labels(runs: Sequence[Results], names: Sequence[str]) -> list[dict[str, str]]:
    """For each run, label -> the name it goes by."""
    parts: dict[str, list[pd.DataFrame]] = {}
    for run in runs:
        for label, rows in run.frame.groupby("label", observed=True, sort=False):
            parts.setdefault(str(label), []).append(rows)
    clashing = {label for label, own in parts.items() if _clash(own)}
    return [{str(label): f"{label} ({name})" if str(label) in clashing else str(label)
             for label in run.frame["label"].drop_duplicates()} for run, name in zip(runs, names, strict=True)]


def _all_names(labels: Sequence[Mapping[str, str]]) -> dict[str, list[str]]:
    """Label -> the names it goes by, of those that have others."""
    found: dict[str, list[str]] = {}
    for renames in labels:
        for label, new in renames.items():
            if new != label:
                found.setdefault(label, []).append(new)
    return found


def _clash(parts: Sequence[pd.DataFrame]) -> bool:
    """Whether rows of one label in several runs are of different configurations, or measure a point differently."""
    import pandas as pd

    together = pd.concat([part[[*_POINT, *_SAME, *_CONFIGURATION, "status"]].astype(object) for part in parts])
    if bool(together[together["key"].notna()].drop_duplicates([*_POINT, "key"]).duplicated(_POINT).any()):
        return True
    measured = together[(together["status"] != _MISSING).to_numpy(dtype=bool)]  # of the others only the key is known
    if len(measured[_CONFIGURATION].drop_duplicates()) > 1:
        return True
    return bool(measured.drop_duplicates([*_POINT, *_SAME]).duplicated(_POINT).any())


def _renamed(run: Results, column: str, names: Mapping[str, str]) -> Results:
    """`run` with the data sets or labels under other names."""
    if all(name == new for name, new in names.items()):
        return run
    kept = run.frame[column].astype(str).map(names).astype("category")
    changed = replace(run, frame=run.frame.assign(**{column: kept}))
    if column == "dataset":
        return replace(changed, dataset_notes={names.get(d, d): n for d, n in run.dataset_notes.items()})
    return replace(changed, codec_settings={names.get(la, la): s for la, s in run.codec_settings.items()})


def _joined(frames: Sequence[pd.DataFrame], metrics: Sequence[Metric]) -> pd.DataFrame:
    """All rows; of a measurement that several runs share the first measured row, at the place of the first, with every
    metric that one of them has."""
    import numpy as np
    import pandas as pd

    scores = [metric.column for metric in metrics]
    columns = [*(name for name in frames[0] if name not in scores), *scores]
    whole = pd.concat(_alike([frame.reindex(columns=columns) for frame in frames]), ignore_index=True)
    point = [*_POINT, "label"]
    twice = whole.duplicated(point, keep=False).to_numpy()
    if twice.any():
        shared = whole.loc[twice].groupby([whole.loc[twice, name].astype(object) for name in point], dropna=False,
                                          sort=False)  # fmt: skip
        for column in scores:
            whole.loc[twice, column] = shared[column].transform("first")
        for column in ("target", "missed"):
            if whole.loc[twice, column].notna().any():
                whole[column] = _of_all(whole[column], shared.ngroup())
        taken = np.arange(len(whole))
        missing = (whole["status"] == _MISSING).to_numpy(dtype=bool)
        for places in shared.indices.values():
            own = np.flatnonzero(twice)[places]
            taken[own[0]] = own[np.argmin(missing[own])]
        whole = whole.iloc[taken[~whole.duplicated(point).to_numpy()]].reset_index(drop=True)
    return whole


def _of_all(texts: pd.Series[Any], groups: pd.Series[int]) -> pd.Series[Any]:
    """The targets of matched runs, where rows are of one group those of all of them, since each run knows its own."""
    known = texts.loc[groups.index].astype(object).dropna()
    joined = known.groupby(groups[known.index]).agg(
        lambda own: ", ".join(dict.fromkeys(target for text in own for target in text.split(", "))))  # fmt: skip
    found = texts.astype(object)
    found.loc[groups.index] = groups.map(joined)
    return found.astype("category")


def _alike(frames: Sequence[pd.DataFrame]) -> list[pd.DataFrame]:
    """The frames with the same dtypes and categories in each, so that joining them keeps both."""
    import pandas as pd
    from pandas.api.types import union_categoricals

    dtypes: dict[str, Any] = {}
    for name in frames[0]:
        columns = [frame[name] for frame in frames]
        if isinstance(columns[0].dtype, pd.CategoricalDtype):
            every = union_categoricals([_of_texts(column) for column in columns])
            dtypes[str(name)] = pd.CategoricalDtype(every.categories)
        else:
            dtypes[str(name)] = next((c.dtype for c in columns if c.notna().any()), columns[0].dtype)
    return [frame.astype(dtypes) for frame in frames]


def _of_texts(column: pd.Series[Any]) -> pd.Categorical:
    """A column of categories whose texts have one dtype, which an empty column or an older file may not."""
    import pandas as pd

    found = pd.Categorical(column.astype("category"))
    return pd.Categorical.from_codes(found.codes, found.categories.astype("str"))


def _environment(runs: Sequence[Results]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for run in runs:
        merged = {**run.environment, **merged}
    sessions: list[Any] = []
    for session in (one for run in runs for one in run.environment.get("sessions", [])):
        if session not in sessions:  # a run and its published folder share theirs
            sessions.append(session)
    return merged | {"sessions": sessions}


def _first(
    sources: Sequence[Callable[[str], Image] | None],
) -> Callable[[str], Image] | None:
    """A picture from the first run that has the key."""
    readers = [source for source in sources if source is not None]
    if not readers:
        return None

    def read(key: str) -> Image:
        for reader in readers:
            try:
                return reader(key)
            except KeyError:
                continue
        raise StoreError(f"no run here has kept the picture of key {key[:12]}; run its plan again")

    return read
