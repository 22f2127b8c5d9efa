"""A matched run: all searches (`benchbox.session.search`) advance together, in rounds of jobs. Stored points are not
measured again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from benchbox.plan import Entry, Job, Point, Resolved, SampleName, parse_target
from benchbox.session.digests import Digests, digests
from benchbox.session.search import MOST_TRIES, Search, searches
from benchbox.session.session import Session
from benchbox.session.todo import changed_codecs
from benchbox.store import Store

MOST_LINES = 8
"""Kinds of endings that are said one by one after a run."""

Proposal: TypeAlias = tuple[Search, float]
"""A search and the quality that it would try next."""


def run_matched(session: Session, retry: bool = False) -> None:
    """Find, for each picture and lossy codec, the setting nearest each of the plan's `match` targets.

    Every encoding tried is stored as an ordinary measurement. The run's rows are the nearest ones found so far, updated
    after each round. Pictures that cannot be read have no row. Running a finished run again encodes nothing.

    Raises:
        PlanError: a target is neither bpp nor a metric of the plan.
        RunInterrupted: on Ctrl-C; points measured before are kept.
    """
    resolved, store, progress = session.resolved, session.store, session.progress
    found = digests(resolved, store, progress)
    session.note_pictures(found)
    for line in not_searched(resolved):
        progress.say(line)
    for (_, sample), why in found.unreadable.items():
        progress.say(f"{sample} is left out: {why.reason}")
    matching = Matching(resolved, found, store)
    while proposals := matching.carry_on(retry):
        jobs = matching.jobs(proposals)
        keys = (search.entry(quality).key for search, quality in proposals)
        store.keep_replaced(session.name, keys, resolved.renewed)
        session.measure(jobs, sum(len(job.points) for job in jobs))
        matching.learn(proposals)
        store.register(session.name, matching.nearest())
    store.register(session.name, matching.nearest())
    for line in filter(None, [*matching.endings(), changed_codecs(matching.changed())]):
        progress.say(line)


class Matching:
    """All searches of a matched run, advanced by what the store holds. Only reads the store."""

    def __init__(self, resolved: Resolved, found: Digests, store: Store) -> None:
        targets = list(dict.fromkeys(parse_target(text, resolved.metrics) for text in resolved.plan.match))
        self.searches = searches(resolved, found.known, targets)
        self._store = store
        self._pictures = {(d.id, s.id): SampleName.of(d.id, s) for d in resolved.datasets for s in d.samples}
        self._versions = {metric.id: metric.version for metric in resolved.metrics}
        self._renewed, self._sources = resolved.renewed, resolved.sources
        self._points: dict[str, Point] = {}

    def carry_on(self, retry: bool = False) -> list[Proposal]:
        """Continue every search to its end or to a try that the store lacks; returns those tries."""
        waiting: list[Proposal] = []
        moving: Sequence[Search] = self.searches
        while moving:
            proposals = [(search, quality) for search in moving if (quality := search.propose()) is not None]
            missing = self._missing(proposals, retry)
            known = [proposal for proposal, point in zip(proposals, missing, strict=True) if point is None]
            waiting += [proposal for proposal, point in zip(proposals, missing, strict=True) if point is not None]
            self.learn(known)
            moving = [search for search, _ in known]
        return waiting

    def jobs(self, proposals: Iterable[Proposal]) -> list[Job]:
        """One job for each picture and codec, with the points that `carry_on` found missing, each once."""
        grouped: dict[tuple[str, str], tuple[Search, dict[str, Point]]] = {}
        for search, quality in proposals:
            key = search.entry(quality).key
            place = (search.digest, search.configuration.label)
            grouped.setdefault(place, (search, {}))[1][key] = self._points[key]
        return [search.configuration.job(self._pictures[search.dataset, search.sample], search.digest, points.values())
                for search, points in grouped.values()]  # fmt: skip

    def learn(self, proposals: Sequence[Proposal]) -> None:
        """Read the value of each proposal from the store."""
        keys = {search.target.of: [s.entry(q).key for s, q in proposals if s.target.of == search.target.of]
                for search, _ in proposals}  # fmt: skip
        values = {of: self._values(of, wanted) for of, wanted in keys.items()}
        for search, quality in proposals:
            search.tried[quality] = values[search.target.of].get(search.entry(quality).key)

    def nearest(self) -> list[Entry]:
        """The rows nearest to the targets so far, without duplicates; for a search without any value its first try,
        whose row says why."""
        found = [(search, search.best() if search.best() is not None else next(iter(search.tried), None))
                 for search in self.searches]  # fmt: skip
        return list(dict.fromkeys(search.entry(quality) for search, quality in found if quality is not None))

    def changed(self) -> dict[str, int]:
        """Codec id -> number of the nearest rows measured before its plugin changed."""
        counts = {codec: source for codec, source in self._sources.items() if codec not in self._renewed}
        found = self._store.changed((row.key for row in self.nearest()), counts)
        return {codec: len(keys) for codec, keys in found.items()}

    def endings(self) -> list[str]:
        """A line with the number of searches that missed their target, then one for each kind of ending, with an
        example; empty if none missed."""
        missed = [(search, *ending) for search in self.searches if (ending := search.ending())[0]]
        if not missed:
            return []
        tried = self._store.outcomes_of(search.entry(hole).key for search, _, hole in missed if hole is not None)
        reasons = {key: f"{status}: {reason}" if reason else status for key, (status, reason) in tried.items()
                   if status != "ok"}  # fmt: skip
        groups: dict[tuple[str, str, str], list[Search]] = {}
        for search, why, hole in missed:
            reason = "" if hole is None else self._reason(search, hole, reasons)
            group = (search.configuration.label, str(search.target), f"{why} ({reason})" if reason else why)
            groups.setdefault(group, []).append(search)
        lines = [f"{len(missed)} of {len(self.searches)} searches missed their target; the rows hold the nearest "
                 "encodings"]
        for (label, target, why), members in list(groups.items())[:MOST_LINES]:
            more = f" and {len(members) - 1} more" if len(members) > 1 else ""
            lines.append(f"  {label} {target}, {members[0].sample}{more}: {why}")
        if len(groups) > MOST_LINES:
            lines.append(f"  and {len(groups) - MOST_LINES} other endings")
        return lines

    def _reason(self, search: Search, hole: float, reasons: Mapping[str, str]) -> str:
        """Why there is no value at `hole`; `reasons` are those of encodings that went wrong."""
        key, of = search.entry(hole).key, search.target.of
        if key in reasons or of == "bpp":
            return reasons.get(key, "")
        return self._store.scores([key], of, self._versions[of]).get(key, (None, ""))[1]

    def _missing(self, proposals: Sequence[Proposal], retry: bool) -> list[Point | None]:
        metrics = tuple(self._versions)
        keys = [search.entry(quality).key for search, quality in proposals]
        have = self._store.have(keys, self._versions, retry, self._renewed)
        points = [search.configuration.missing(key, quality, metrics, have.get(key))
                  for key, (search, quality) in zip(keys, proposals, strict=True)]  # fmt: skip
        self._points |= {point.key: point for point in points if point is not None}
        return points

    def _values(self, of: str, keys: Iterable[str]) -> Mapping[str, float | None]:
        """key -> bpp or metric value, for those of `keys` that were measured."""
        if of == "bpp":
            return self._store.rates(keys)
        return {key: value for key, (value, _) in self._store.scores(keys, of, self._versions[of]).items()}


def not_searched(resolved: Resolved) -> list[str]:
    """What a matched run passes over in its plan."""
    lossless = [c.label for c in resolved.configurations if c.axis is None]
    given = [c.label for c in resolved.configurations if c.axis is not None and c.qualities != c.axis.values]
    lines = []
    if lossless:
        lines.append(f"{', '.join(lossless)}: lossless, so there is no quality to search and no row")
    if given:
        lines.append(f"{', '.join(given)}: the plan's qualities are not used: match searches the whole axis")
    return lines


def most_tries_left(search: Search) -> int:
    """Number of encodings that a search may still try."""
    return MOST_TRIES - len(search.tried)
