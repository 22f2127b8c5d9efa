"""From what a user asks for to jobs: a plan file or flags become a `Plan`, its ids are looked up (`Resolved`), and what
the store lacks of it becomes jobs. Pure: no store, no device, no clock."""

from benchbox.plan.jobs import Entry, Have, Job, Point, SampleName
from benchbox.plan.missing import entries, missing_jobs, timing_jobs
from benchbox.plan.plan import DISTURBED, CodecEntry, Plan, Timing, load_plan, make_plan, parse_codec, settle
from benchbox.plan.resolve import Configuration, Resolved, device_for, resolve

__all__ = [
    "DISTURBED", "CodecEntry", "Configuration", "Entry", "Have", "Job", "Plan", "Point", "Resolved", "SampleName",
    "Timing", "device_for", "entries", "load_plan", "make_plan", "missing_jobs", "parse_codec", "resolve", "settle",
    "timing_jobs",
]  # fmt: skip
