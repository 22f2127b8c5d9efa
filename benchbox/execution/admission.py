"""Checks, once and before it gets a job, whether a worker of a cluster has what the run needs.

What would otherwise be blamed on a codec, or go unnoticed, is found here: another version of benchbox, a codec or a
metric, a folder that is not shared, pictures that are not there, memory or devices that are missing. Of each data set
one picture is looked at before, and any other when its turn comes.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from benchbox import __version__, image, machine
from benchbox.codec import options_json
from benchbox.errors import BenchboxError, one_line
from benchbox.guard import worked
from benchbox.plan import Job, Resolved, SampleName
from benchbox.work import Worker

NEEDS = ".needs"
"""Suffix of the file that lists for a worker process what a run needs; it writes its answer beside it."""

LEAST_SHARE = 256 << 20
"""Bytes of memory that a point must be allowed: what libraries and a small picture take."""

SAME_PICTURES = "put the same pictures at the same path on every machine"
"""The remedy where a worker lacks a picture."""


def needs_of(resolved: Resolved, jobs: Iterable[Job], token: Path) -> dict[str, Any]:
    """The needs of a run that each worker is checked for, as JSON values.

    Args:
        resolved: the plan.
        jobs: the jobs of the run.
        token: a file in the workspace that holds its own name.
    """
    pictures: dict[str, Job] = {}
    for job in jobs:
        pictures.setdefault(job.sample.dataset, job)
    return {
        "benchbox": __version__,
        "token": str(token),
        "codecs": {c.label: [c.info.id, options_json(c.options), c.identity] for c in resolved.configurations},
        "metrics": {metric.id: metric.version for metric in resolved.metrics},
        "pictures": [[job.sample.dataset, job.sample.sample, job.sample.file, job.sample_sha256]
                     for job in pictures.values()],
    }  # fmt: skip


def lacking(resolved: Resolved, job: Job, points: Iterable[Mapping[str, Any]]) -> str:
    """One line that says that the worker which answered these points of a job lacks the job's picture: it could not
    read the planned picture, and this process can. "" if the worker lacks nothing, or this process cannot read it."""
    found = [point["changed"] for point in points if point.get("changed")]
    if not found or not _is_here(resolved, job):
        return ""
    return f"data set {job.sample.dataset}: {found[0]}; {SAME_PICTURES}"


def _is_here(resolved: Resolved, job: Job) -> bool:
    wanted = job.sample
    samples = (s for d in resolved.datasets if d.id == wanted.dataset for s in d.samples if s.id == wanted.sample)
    try:
        return any(image.digest(image.check(worked(s.load), s.id)) == job.sample_sha256 for s in samples)
    except BenchboxError:
        return False


def outer_faults(needs: Mapping[str, Any], share: int, slots: int, memory: int, gpus: float) -> Iterator[str]:
    """What a worker lacks that is seen without loading plugins, a line each.

    Args:
        needs: of `needs_of`.
        share: bytes that a point may use.
        slots: points that it measures at once.
        memory: bytes that it may use in all.
        gpus: devices that it offers, as the resource ``GPU``.
    """
    if needs["benchbox"] != __version__:
        yield f"has benchbox {__version__}, the run {needs['benchbox']}; install the same on every machine"
    token = Path(needs["token"])
    try:
        same = token.read_text(encoding="utf-8") == token.name
        mark = token.with_name(f"{token.name}.{uuid.uuid4().hex}")
        mark.touch()
        mark.unlink()
    except OSError as error:
        same, why = False, f" ({error.strerror})"
    else:
        why = ""
    if not same:
        yield (f"does not share the workspace {token.parent.parent}{why}; mount one folder at that path on every "
               "machine, writable, or choose another --workspace")  # fmt: skip
    if share < LEAST_SHARE:
        yield (f"has {memory >> 20} MiB of memory for {slots} points at once, which need {LEAST_SHARE >> 20} MiB each; "
               "start it with fewer --nthreads or a higher --memory-limit")  # fmt: skip
    if share * slots > memory:
        yield (f"has {memory >> 20} MiB of memory, and the plan allows {slots} points at once {share >> 20} MiB each; "
               "start it with fewer --nthreads, or lower memory_mib in [limits]")  # fmt: skip
    if gpus and len(machine.gpus()) < gpus:
        yield (f"offers {gpus:g} GPU, and {len(machine.gpus())} answer to nvidia-smi; start it without --resources "
               "GPU, or mend the driver")  # fmt: skip


def inspect(worker: Worker, order: Path) -> None:
    """In a worker process: find what this machine lacks of the needs in the file `order`, and write it beside that."""
    needs = json.loads(order.read_bytes())
    answer = order.with_suffix(".faults")
    part = answer.with_suffix(".part")
    part.write_text(json.dumps(list(inner_faults(worker, needs))), encoding="utf-8")
    part.replace(answer)


def inner_faults(worker: Worker, needs: Mapping[str, Any]) -> Iterator[str]:
    """What a worker lacks that only its plugins can tell, a line each."""
    versions = "install the same versions on every machine"
    for label, (codec, options, identity) in needs["codecs"].items():
        found = _said(partial(_identity, worker, codec, options))
        if found != identity:
            yield f"{label}: it has '{found}', the plan was made with '{identity}'; {versions}"
    for metric, version in needs["metrics"].items():
        found = _said(partial(_version, worker, metric))
        if found != version:
            yield f"metric {metric}: it has version '{found}', the plan was made with '{version}'; {versions}"
    for dataset, sample, file, sha256 in needs["pictures"]:
        wrong = _said(partial(_unread, worker, SampleName(dataset, sample, file), sha256))
        if wrong:
            yield f"data set {dataset}: {wrong}; {SAME_PICTURES}"


def _identity(worker: Worker, codec: str, options: str) -> str:
    info = worker.registry.codec(codec)
    parsed = info.parse_options(json.loads(options))
    info.require(parsed)
    return worker.registry.identity(info, parsed)


def _version(worker: Worker, name: str) -> str:
    metric = worker.registry.metric(name)
    worker.scorer(metric)  # one that does not open there would leave its column empty
    return metric.version


def _unread(worker: Worker, name: SampleName, sha256: str) -> str:
    worker.source(name, sha256)
    return ""


def _said(ask: Callable[[], str]) -> str:
    """What a plugin says, or the error that it raises."""
    try:
        return ask()
    except Exception as error:  # a plugin may raise anything
        return one_line(error)
