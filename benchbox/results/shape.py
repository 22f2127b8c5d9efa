"""Selects, orders and renames the codecs and metrics of a run as its appearance wants them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from benchbox.appearance import PLAIN, Appearance, Nameable
from benchbox.metric import Metric
from benchbox.reference import Reference
from benchbox.report import Results

if TYPE_CHECKING:
    import pandas as pd


def shaped(results: Results) -> Results:
    """`results` as its `appearance` wants them: the codecs and metrics shown, in order and under their names. The
    appearance of what is returned names codecs as they are shown, and its `labels` lead back to the run's own.

    Raises:
        UnknownIdError: it names a codec, a metric or an axis that the run lacks; says which there are.
    """
    wanted = results.appearance
    if wanted == PLAIN:
        return results
    names = nameable(results)
    names.check(wanted)
    order, label_of = names.order(wanted), names.new_labels(wanted)
    shown = _references(results, wanted, names)
    titles = {id_: new for name, new in wanted.labels.items() for id_ in names.ids(name)}
    final = wanted.model_copy(update={
        **{key: {new: value for name, value in getattr(wanted, key).items()
                 for new in _shown(name, names, label_of, titles)} for key in ("colours", "families")},
        "codecs": tuple(new for name in wanted.codecs for new in _shown(name, names, label_of, titles)),
        "labels": {new: label for label, new in label_of.items()},
        "highlight": next(iter(_shown(wanted.highlight or "", names, label_of, titles)), None),
    })
    return replace(
        results, frame=_frame(results, order, label_of), metrics=_metrics(results, wanted),
        codec_settings={label_of.get(label, label): results.codec_settings[label] for label in order
                        if label in results.codec_settings},
        references=[replace(r, title=titles.get(r.id, r.title)) for r in shown], appearance=final)


def applied(results: Results) -> Results:
    """`results` with what applies to them of the table ``[report]`` of their plan, which was checked when it was run:
    an optional codec may have been left out, a plugin be missing, a published curve not be asked for."""
    if results.appearance == PLAIN:
        return results
    return replace(results, appearance=nameable(results).present(results.appearance))


def nameable(results: Results) -> Nameable:
    """What of `results` an appearance may name."""
    rows = results.frame[["label", "codec"]].drop_duplicates().astype(str)
    return Nameable.of(dict(zip(rows["label"], rows["codec"], strict=True)), results.references,
                       (metric.id for metric in results.metrics), results.appearance.labels)


def _shown(name: str, names: Nameable, labels: Mapping[str, str], titles: Mapping[str, str]) -> list[str]:
    """The names under which the curves that `name` stands for are shown."""
    published = [f"{titles.get(id_, title)}{full.removeprefix(title)}" for id_ in names.ids(name)
                 for _, title, full in [names.curves[id_]]]
    return [labels.get(label, label) for label in names.labels(name)] or published


def _references(results: Results, wanted: Appearance, names: Nameable) -> list[Reference]:
    """The published curves that are named, in that order; all of them where none is."""
    named = [id_ for name in wanted.codecs if not names.labels(name) for id_ in names.ids(name)]
    if not named:
        return list(results.references)
    return sorted((r for r in results.references if r.id in named), key=lambda r: named.index(r.id))


def _frame(results: Results, order: list[str], labels: Mapping[str, str]) -> pd.DataFrame:
    import pandas as pd

    frame = results.frame
    if len(order) < frame["label"].nunique():
        frame = frame[frame["label"].isin(order)]
    if labels or len(order) < results.frame["label"].nunique():
        new = [labels.get(label, label) for label in order]
        renamed = frame["label"].astype(str).map(dict(zip(order, new, strict=True)))
        frame = frame.assign(label=pd.Categorical(renamed, new))
    if results.appearance.codecs:  # curves come in the order of the rows
        place = {labels.get(label, label): k for k, label in enumerate(order)}
        ranks = frame["label"].astype(str).map(place).to_numpy()
        frame = frame.iloc[ranks.argsort(kind="stable")].reset_index(drop=True)
    return frame


def _metrics(results: Results, wanted: Appearance) -> list[Metric]:
    known = {metric.id: metric for metric in results.metrics}
    return [known[name] for name in dict.fromkeys(wanted.metrics)] or list(results.metrics)
