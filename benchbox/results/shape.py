"""Selects, orders and renames the codecs and metrics of a run as its appearance wants them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from benchbox.appearance import PLAIN, Appearance
from benchbox.errors import UnknownIdError, did_you_mean
from benchbox.metric import Metric
from benchbox.reference import Reference
from benchbox.report import Results

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class _Names:
    """What the curves of a run may be called, and what they are; `given` leads from names that the appearance gives to
    those that it gives them to."""

    codecs: Mapping[str, str]
    references: Mapping[str, tuple[str, str, str]]
    given: Mapping[str, str]

    @classmethod
    def of(cls, results: Results) -> _Names:
        rows = results.frame[["label", "codec"]].drop_duplicates().astype(str)
        return cls(dict(zip(rows["label"], rows["codec"], strict=True)),
                   {r.id: (r.id, r.title, f"{r.title}, {r.kind}") for r in results.references},
                   {new: name for name, new in results.appearance.labels.items()})

    def labels(self, name: str) -> list[str]:
        """The measured labels that `name` stands for: the label itself, else all of that codec id, else those that the
        report calls so."""
        return self._labels(name) or ([] if self._ids(name) else self._labels(self.given.get(name, "")))

    def ids(self, name: str) -> list[str]:
        """The published curves that `name` stands for."""
        return self._ids(name) or ([] if self._labels(name) else self._ids(self.given.get(name, "")))

    def _labels(self, name: str) -> list[str]:
        return [name] if name in self.codecs else [label for label, id_ in self.codecs.items() if id_ == name]

    def _ids(self, name: str) -> list[str]:
        return [id_ for id_, known in self.references.items() if name in known]

    def check(self, name: str, place: str) -> None:
        if not self.labels(name) and not self.ids(name):
            known = [*self.codecs, *self.codecs.values(), *self.references, *self.given]
            hint = did_you_mean(name, known) or f"; take one of {', '.join(dict.fromkeys(known))}"
            raise UnknownIdError(f"report: {place}: no codec of this run is called '{name}'{hint}")


def shaped(results: Results) -> Results:
    """`results` as its `appearance` wants them: the codecs and metrics shown, in order and under their names. The
    appearance of what is returned names codecs as they are shown, and its `labels` lead back to the run's own.

    Raises:
        UnknownIdError: it names a codec, a metric or an axis that the run lacks; says which there are.
    """
    wanted = results.appearance
    if wanted == PLAIN:
        return results
    names = _Names.of(results)
    for place in ("codecs", "labels", "colours", "families"):
        for name in getattr(wanted, place):
            names.check(name, place)
    if wanted.highlight is not None:
        names.check(wanted.highlight, "highlight")
    _check_axes(wanted, results)
    order = [label for name in wanted.codecs for label in names.labels(name)] or list(names.codecs)
    order = list(dict.fromkeys(order))
    shown = _references(results, wanted, names)
    label_of = {label: new for name, new in wanted.labels.items() for label in names.labels(name)}
    titles = {id_: new for name, new in wanted.labels.items() for id_ in names.ids(name)}
    _check_distinct([label_of.get(label, label) for label in order])
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


def _shown(name: str, names: _Names, labels: Mapping[str, str], titles: Mapping[str, str]) -> list[str]:
    """The names under which the curves that `name` stands for are shown."""
    published = [f"{titles.get(id_, title)}{full.removeprefix(title)}" for id_ in names.ids(name)
                 for _, title, full in [names.references[id_]]]
    return [labels.get(label, label) for label in names.labels(name)] or published


def _references(results: Results, wanted: Appearance, names: _Names) -> list[Reference]:
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
    for name in wanted.metrics:
        if name not in known:
            hint = did_you_mean(name, known) or f"; take one of {', '.join(known)}"
            raise UnknownIdError(f"report: metrics: this run was not scored by '{name}'{hint}")
    return [known[name] for name in dict.fromkeys(wanted.metrics)] or list(results.metrics)


def _check_axes(wanted: Appearance, results: Results) -> None:
    known = ["bpp", *(metric.id for metric in results.metrics), "saving"]
    for name in wanted.ranges:
        if name not in known:
            hint = did_you_mean(name, known) or f"; take one of {', '.join(known)}"
            raise UnknownIdError(f"report: ranges: no axis is called '{name}'{hint}")


def _check_distinct(labels: list[str]) -> None:
    for label in labels:
        if labels.count(label) > 1:
            raise UnknownIdError(f"report: labels: two codecs would be called '{label}'; give them different names")
