"""Reads a run back as a frame, writes its reports, publishes it as a folder, and checks published folders."""

from benchbox.results.check import Verdict, agreement, check, exit_code
from benchbox.results.given import as_results, one_dataset, one_metric
from benchbox.results.imports import import_run
from benchbox.results.load import left_out, load_frame, load_results, load_run, unknown_metrics
from benchbox.results.merge import merge
from benchbox.results.place import RunPlace, find_run, no_run, run_named
from benchbox.results.publish import publish
from benchbox.results.several import load_frames, load_several
from benchbox.results.shape import nameable
from benchbox.results.versions import check_versions
from benchbox.results.write import chosen_reports, write_reports
from benchbox.store import PUBLISHED

__all__ = [
    "PUBLISHED", "RunPlace", "Verdict", "agreement", "as_results", "check", "check_versions", "chosen_reports",
    "exit_code", "find_run", "import_run", "left_out", "load_frame", "load_frames", "load_results", "load_run",
    "load_several", "merge", "nameable", "no_run", "one_dataset", "one_metric", "publish", "run_named",
    "unknown_metrics", "write_reports",
]  # fmt: skip
