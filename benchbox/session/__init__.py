"""One session of a run: list the missing points, measure them, store each result as it comes, and show progress."""

from benchbox.session.estimate import describe
from benchbox.session.progress import Progress, Silent, for_python, for_terminal
from benchbox.session.quick import Verdicts
from benchbox.session.runner import execute, local_executor, point_limits
from benchbox.session.session import Summary

__all__ = [
    "Progress", "Silent", "Summary", "Verdicts", "describe", "execute", "for_python", "for_terminal", "local_executor",
    "point_limits",
]  # fmt: skip
