"""Executes a run: measures the points that the store lacks, then times them if the plan says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from benchbox import machine
from benchbox.errors import PlanError, RunInterrupted
from benchbox.execution import Executor, LocalExecutor, PointLimits, memory_share
from benchbox.fork_server import ForkServer
from benchbox.plan import (
    DISTURBED,
    Job,
    Plan,
    Resolved,
    Timing,
    coarse_first,
    entries,
    pinned_core,
    quick_stages,
    timing_jobs,
)  # fmt: skip
from benchbox.plugin_file import PluginFile
from benchbox.registry import Registry
from benchbox.session.digests import digests
from benchbox.session.matched import run_matched
from benchbox.session.progress import Progress
from benchbox.session.quick import Looks, Verdicts, picture_places
from benchbox.session.session import Session, Summary
from benchbox.session.signals import ends_like_ctrl_c
from benchbox.session.todo import Todo, changed_codecs, list_missing, register
from benchbox.store import Workspace, WritableStore

MOST_LISTINGS = 3
"""Times that a run is listed, once more for each time that pictures changed while it went on."""


def point_limits(plan: Plan, workers: int) -> PointLimits:
    """The plan's limits; if it sets no memory limit, each of `workers` has an equal share."""
    memory = plan.limits.memory_mib << 20 if plan.limits.memory_mib else memory_share(workers)
    return PointLimits(plan.limits.point_seconds, memory)


def local_executor(
    plan: Plan, workspace: Workspace, workers: int | None, server: ForkServer, files: Sequence[PluginFile] = ()
) -> LocalExecutor:
    """An executor of processes of `server` under the plan's limits, which load the plugin files `files`; `workers` None
    means one per core that may be used."""
    count = workers or machine.cores()
    return LocalExecutor(count, point_limits(plan, count), workspace.streams, workspace.spool, server, files)


def execute(
    resolved: Resolved, registry: Registry, workspace: Workspace, executor: Executor, progress: Progress,
    retry: bool = False, verdicts: Verdicts | None = None,
) -> Summary:  # fmt: skip
    """Measure all points of the plan that the workspace lacks; `retry` includes points that runs no longer try. If
    `verdicts` are given, the most telling points come first, and they are shown as the points come in.

    Raises:
        PlanError: `verdicts` are asked of a plan that searches (`match`) or is sharded.
        RunInterrupted: on Ctrl-C, SIGTERM or SIGHUP; points measured before are kept.
        StoreError: nothing more can be stored (a full disk); points measured before are kept.
    """
    if resolved.shard is not None and verdicts is not None:
        raise PlanError(f"--quick and shard {resolved.shard} exclude each other: a share of the pictures gives no "
                        "verdict; remove one of them")
    if resolved.plan.match and verdicts is not None:
        raise PlanError("--quick and match exclude each other: a search says by itself which point comes next; remove "
                        "one of them")
    workspace.own_run_folder(resolved.plan.name)  # a reserved name is refused before anything is written
    with ends_like_ctrl_c(), workspace.lock(), WritableStore(workspace) as store:
        with Session(resolved, registry, store, executor, progress) as session:
            todo = None
            for _ in range(MOST_LISTINGS):
                if resolved.plan.match:
                    run_matched(session, retry)
                else:
                    todo = _run(session, retry, verdicts)
                if not session.pictures_changed():
                    break
            session.compare_with_former()
        summary = session.summary(todo)
        if resolved.plan.timing is None:
            return summary
        with ForkServer() as server:
            timer = timing_executor(resolved.plan, resolved.plan.timing, workspace, server, registry.files)
            with Session(resolved, registry, store, timer, progress) as session:
                _time(session, resolved.plan.timing)
        return replace(summary, timed=session.done)


def timing_executor(
    plan: Plan, protocol: Timing, workspace: Workspace, server: ForkServer, files: Sequence[PluginFile] = ()
) -> LocalExecutor:
    """An executor of one worker pinned to one core; a point may take as long as all its repeats."""
    limits = point_limits(plan, 1)
    longer = PointLimits(limits.seconds * 2 * (protocol.repeats + 1) * protocol.batch, limits.memory)
    return LocalExecutor(1, longer, workspace.streams, workspace.spool, server, files, pinned_core(protocol))


def _run(session: Session, retry: bool, verdicts: Verdicts | None) -> Todo:
    """Measure what is missing; returns what that was."""
    resolved, store = session.resolved, session.store
    found = digests(resolved, store, session.progress)
    session.note_pictures(found)
    register(resolved, found, store)
    todo = list_missing(resolved, found, store, retry, listed=True)
    store.keep_replaced(session.name, (row.key for row in todo.own), resolved.renewed)
    session.progress.say(str(todo))
    if changed := changed_codecs(todo.changed):
        session.progress.say(changed)
    if verdicts is None:
        session.measure(coarse_first(todo.jobs, resolved), todo.points)
        return todo
    stages = quick_stages(todo.jobs, resolved, picture_places(resolved.datasets, found.known))
    looks = Looks(lambda: verdicts(store), [_points(stage) for stage in stages], session.progress.say)
    try:
        session.measure((job for stage in stages for job in stage), todo.points, looks)
    except RunInterrupted:
        looks.look()
        raise
    looks.look()
    return todo


def _time(session: Session, protocol: Timing) -> None:
    """Time the measured points under the plan's protocol.

    Only undisturbed timings of this host and protocol count, so a point timed while other processes were busy is timed
    again by the next run.
    """
    resolved, store, progress = session.resolved, session.store, session.progress
    found = digests(resolved, store, progress)
    session.note_pictures(found)
    known = found.known
    readable = resolved.only(known)
    rows = tuple(entries(readable, known))
    keys = [row.key for row in rows]
    measured = store.streams_of(keys)

    def lacking() -> list[Job]:
        held = store.timed(keys, machine.host(), protocol.batch, DISTURBED)
        return list(timing_jobs(readable, known, rows, measured, held))

    todo = lacking()
    points = _points(todo)
    progress.say(f"{session.name}: {points} points to time, {protocol.repeats} repeats each, one worker on one core")
    session.measure(todo, points)
    disturbed = _points(lacking())
    if disturbed:
        progress.say(f"{disturbed} points were timed while other processes were busy; speed tables refuse them; run "
                     "again on a quiet machine")


def _points(jobs: Sequence[Job]) -> int:
    return sum(len(job.points) for job in jobs)
