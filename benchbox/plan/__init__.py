"""Plans: a file or flags become a validated `Plan`, its ids are looked up (`Resolved`), and the points that the store
lacks become jobs. Nothing here measures or stores anything."""

from benchbox.plan.jobs import Entry, Have, Job, Point, SampleName
from benchbox.plan.missing import entries, missing_jobs, own_groups, timing_jobs
from benchbox.plan.order import SPREAD, Places, coarse_first, coarse_to_fine, quick_stages
from benchbox.plan.plan import (
    DISTURBED,
    CodecEntry,
    Plan,
    Timing,
    check_run_name,
    load_plan,
    make_plan,
    named,
    parse_codec,
    settle,
)
from benchbox.plan.resolve import Configuration, Resolved, device_for, pinned_core, resolve
from benchbox.plan.shard import Shard
from benchbox.plan.target import Target, parse_target

__all__ = [
    "DISTURBED", "SPREAD", "CodecEntry", "Configuration", "Entry", "Have", "Job", "Places", "Plan", "Point", "Resolved",
    "SampleName", "Shard", "Target", "Timing", "check_run_name", "coarse_first", "coarse_to_fine", "device_for",
    "entries", "load_plan", "make_plan", "missing_jobs", "named", "own_groups", "parse_codec", "parse_target",
    "pinned_core", "quick_stages", "resolve", "settle", "timing_jobs",
]  # fmt: skip
