"""A matched run: the searches of `benchbox.match`, carried on side by side in rounds of jobs, and what they found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from benchbox import samples
from benchbox.execution import Executor
from benchbox.jobs import Have, Job, Point, Resolved
from benchbox.match import Search, parse_target, searches
from benchbox.progress import Progress
from benchbox.registry import Registry
from benchbox.runner import Sitting, Summary
from benchbox.store import Store


def run_matched(
    resolved: Resolved, plan_text: str, registry: Registry, store: Store, executor: Executor, progress: Progress
) -> Summary:
    """Find, for each picture and lossy codec, the setting nearest each of the plan's `match` targets.

    Every encoding tried is kept as an ordinary measurement; the run's rows are those that came nearest. Pictures that
    cannot be read have no row. Running again starts from what is there and encodes nothing new.

    Raises:
        PlanError: a target that is no bpp or metric of the plan.
        RunInterrupted: on Ctrl-C; what was measured is kept.
    """
    targets = [parse_target(text, resolved) for text in resolved.plan.match]
    with Sitting(resolved, plan_text, registry, store, executor, progress) as sitting:
        digests, bad = samples.digests(resolved, store, progress)
        for (_, sample), why in bad.items():
            progress.say(f"{sample} is left out: {why.reason}")
        open_searches = found = searches(resolved, digests, targets)
        while open_searches:
            proposals = [(search, quality) for search in open_searches
                         if (quality := search.propose()) is not None]  # fmt: skip
            _round(resolved, store, sitting, found, proposals)
            open_searches = [search for search, _ in proposals]
        nearest = [search.entry(best) for search in found if (best := search.best()) is not None]
        store.register(resolved.plan.name, dict.fromkeys(nearest))
    missed = [s for s in found if (b := s.best()) is None or not s.target.near(s.tried[b] or 0)]
    if missed:
        progress.say(f"{len(missed)} of {len(found)} searches ended off their target: it lies beyond the axis "
                     "or between two whole numbers; the rows say how near they came")
    return sitting.summary()


def _round(
    resolved: Resolved, store: Store, sitting: Sitting, found: Iterable[Search], proposals: list[tuple[Search, float]]
) -> None:
    """Measure one proposal of each search, where the store lacks it, and tell the searches their values."""
    name = resolved.plan.name
    entries = [search.entry(quality) for search in found for quality in search.tried]
    entries += [search.entry(quality) for search, quality in proposals]
    store.register(name, dict.fromkeys(entries))
    have = store.have(name, {metric.id: metric.version for metric in resolved.metrics})
    jobs = _jobs(resolved, proposals, have)
    if jobs:
        sitting.measure(jobs, sum(len(job.points) for job in jobs))
    values = {of: _values(resolved, store, of) for of in {search.target.of for search, _ in proposals}}
    for search, quality in proposals:
        search.tried[quality] = values[search.target.of].get(search.entry(quality).key)


def _jobs(
    resolved: Resolved, proposals: Sequence[tuple[Search, float]], have: Mapping[str, Have]
) -> list[Job]:
    """One job a picture and codec, of the proposed points that are not measured; equal work once."""
    pictures = {(d.id, s.id): s for d in resolved.datasets for s in d.samples}
    metrics = tuple(metric.id for metric in resolved.metrics)
    jobs: dict[tuple[str, str], tuple[Search, dict[str, Point]]] = {}
    for search, quality in proposals:
        key = search.entry(quality).key
        point = search.configuration.missing(key, quality, metrics, have.get(key))
        if point is not None:
            place = (search.digest, search.configuration.label)
            jobs.setdefault(place, (search, {}))[1][key] = point
    return [search.configuration.job(pictures[search.dataset, search.sample], search.digest, points.values())
            for search, points in jobs.values()]  # fmt: skip


def _values(resolved: Resolved, store: Store, of: str) -> dict[str, float]:
    """key -> bpp or metric of the run's measured rows."""
    name = resolved.plan.name
    if of == "bpp":
        return store.rates(name)
    version = next(metric.version for metric in resolved.metrics if metric.id == of)
    return {key: value for key, value, _ in store.scores(name, of, version) if value is not None}
