"""Reads a run back as a frame, writes its reports, publishes it as a folder, and checks published folders."""

from benchbox.results.check import Verdict, agreement, check, passes
from benchbox.results.load import load_frame, load_results, load_run
from benchbox.results.place import PUBLISHED, RunPlace, find_run
from benchbox.results.publish import publish
from benchbox.results.write import chosen_reports, write_reports

__all__ = [
    "PUBLISHED", "RunPlace", "Verdict", "agreement", "check", "chosen_reports", "find_run", "load_frame",
    "load_results", "load_run", "passes", "publish", "write_reports",
]  # fmt: skip
