"""The table ``[report]`` of a plan, held against what the plan measures before anything is measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from benchbox.appearance import PLAIN, Appearance, Nameable, names_in
from benchbox.codec import CodecInfo
from benchbox.errors import BenchboxError
from benchbox.guard import answered
from benchbox.metric import Metric
from benchbox.plan.plan import CodecEntry
from benchbox.registry import Registry


def check_look(
    asked: Appearance, codecs: Mapping[str, str], metrics: Sequence[Metric], datasets: Iterable[str],
    left_out: Iterable[CodecEntry], registry: Registry,
) -> None:  # fmt: skip
    """Check that what `asked` names is measured, a published curve on one of the data sets, or an optional codec that
    is left out here and measured elsewhere.

    Args:
        asked: the table.
        codecs: label -> codec id of what the plan measures.
        metrics: what it scores.
        datasets: ids of its data sets.
        left_out: its optional codecs that are unavailable here.
        registry: the plugins, which offer published curves.

    Raises:
        UnknownIdError: it names something else, or gives two codecs one name.
    """
    if asked == PLAIN:
        return
    also = {label: entry.id for entry in left_out for label in _labels_of(entry, registry.codec(entry.id))}
    ids = [metric.id for metric in metrics]
    measured = Nameable.of({**codecs, **also}, (), ids, asked.labels)
    if any(not measured.has(name) for _, name in names_in(asked)):  # plugins are asked for curves only where one may be
        here = {name.partition(":")[0] for name in datasets}
        curves = (curve for curve in registry.references() if curve.dataset in here)
        measured = Nameable.of(measured.codecs, curves, ids, asked.labels)
    measured.check(asked)


def _labels_of(entry: CodecEntry, info: CodecInfo) -> list[str]:
    """The label of an optional codec that is unavailable here, its id where it cannot be told without its library."""
    if entry.label is not None:
        return [entry.label]
    try:
        return [str(answered(info.label, info.parse_options(entry.options)))]
    except BenchboxError:
        return [entry.id]
