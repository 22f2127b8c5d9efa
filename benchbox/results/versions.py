"""Versions of metrics: scores of two versions are not the same measure, and do not stand in one table."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from benchbox.errors import UsageError
from benchbox.registry import Registry
from benchbox.results.place import RunPlace
from benchbox.results.records import read_settings


def metric_versions(place: RunPlace, registry: Registry) -> Mapping[str, str]:
    """Metric -> the version that a run's scores are of: those of the plugins here, of which a workspace gives its
    scores, or what a published folder says. A metric of an older folder, which does not say it, is left out."""
    settings = read_settings(place.folder / "settings.json")
    if place.workspace is None:
        return settings.metric_versions
    return {metric: registry.metrics[metric].version for metric in settings.metrics if metric in registry.metrics}


def check_versions(places: Sequence[RunPlace], registry: Registry, only: Collection[str] | None = None) -> None:
    """Refuse runs of which one metric, of those in `only` if given, is known to be of two versions.

    Raises:
        UsageError: they differ; names the metric, both versions, both runs and the remedy.
    """
    known: dict[str, tuple[str, str]] = {}
    for place in places:
        for metric, version in metric_versions(place, registry).items():
            other, name = known.setdefault(metric, (version, place.name))
            if other != version and (only is None or metric in only):
                raise UsageError(f"{metric} is of version {other} in the run '{name}' and of version {version} in "
                                 f"'{place.name}', and their scores are not compared; run the older one's plan again "
                                 "with the newer plugin and publish it again")
